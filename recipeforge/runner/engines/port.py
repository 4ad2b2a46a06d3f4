"""Ports of this machine over which processes find each other."""

import errno
import os
import socket

ADDRESS = "127.0.0.1"


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as listener:
        listener.bind((ADDRESS, 0))
        return int(listener.getsockname()[1])


def port_problem(port: int) -> str:
    """Return why processes could not meet at a port; empty where they can."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((ADDRESS, port))
        except OSError as error:
            return "another program listens there" if error.errno == errno.EADDRINUSE else os.strerror(error.errno or 0)
    return ""
