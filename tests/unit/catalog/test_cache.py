"""The cache is believed only when it is whole, fresh and the user's own; nothing it does is fatal."""

import os
import pickle
import stat

import pytest

from recipeforge.catalog import cache
from recipeforge.catalog.compile import compile_packs
from recipeforge.catalog.load import forget, load


@pytest.fixture
def kept(cited_pack):
    """A pack with a warm cache, and the cache's file."""
    load([cited_pack])
    (file,) = cache.cache_dir().glob("*.pickle")
    return [cited_pack], file


def test_what_was_kept_is_what_was_compiled(kept):
    packs, _ = kept
    assert cache.read(packs) == compile_packs(packs)


def test_a_changed_added_or_touched_file_makes_it_stale(kept):
    (pack,), _ = kept
    rules = pack / "rules" / "qlora.yaml"
    os.utime(rules, ns=(1, 1))
    assert cache.read([pack]) is None
    forget()
    load([pack])
    assert cache.read([pack]) is not None
    (pack / "rules" / "more.yaml").write_text("")
    assert cache.read([pack]) is None


def test_other_code_or_python_makes_it_stale(kept, monkeypatch):
    packs, _ = kept
    monkeypatch.setattr(cache.sys, "hexversion", 1)
    assert cache.read(packs) is None


def test_other_packs_have_another_file(kept, words_dir):
    load([words_dir])
    assert len(list(cache.cache_dir().glob("*.pickle"))) == 2


@pytest.mark.parametrize("content", [b"", b"garbage", b"recipeforge catalog 1\n", pickle.dumps({"a": 1})])
def test_a_foreign_file_is_ignored_and_replaced(content, kept):
    packs, file = kept
    file.write_bytes(content)
    assert cache.read(packs) is None
    forget()
    assert "RF1001" in load(packs).rules
    assert cache.read(packs) is not None


def test_every_torn_length_and_flipped_byte_is_ignored(kept):
    packs, file = kept
    whole = file.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 40)):
        file.write_bytes(whole[:length])
        assert cache.read(packs) is None
    for position in range(0, len(whole), max(1, len(whole) // 40)):
        broken = bytearray(whole)
        broken[position] ^= 0x40
        file.write_bytes(broken)
        assert cache.read(packs) is None


class Runs:
    def __reduce__(self):
        return (os.mkdir, ("owned",))


def test_a_cache_cannot_run_code(kept, tmp_path, monkeypatch):
    packs, file = kept
    monkeypatch.chdir(tmp_path)
    body = pickle.dumps(Runs())
    file.write_bytes(cache._MAGIC + cache.fingerprint(packs) + cache._checksum(body) + body)
    assert cache.read(packs) is None
    assert not (tmp_path / "owned").exists()


def test_a_pickle_of_something_else_is_ignored(kept):
    packs, file = kept
    body = pickle.dumps(compile_packs(packs).slots["optimizer"])
    file.write_bytes(cache._MAGIC + cache.fingerprint(packs) + cache._checksum(body) + body)
    assert cache.read(packs) is None


def test_a_file_that_others_can_write_is_not_believed(kept):
    packs, file = kept
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o666)
    assert cache.read(packs) is None


def test_a_file_of_another_user_is_not_believed(kept, monkeypatch):
    packs, _ = kept
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert cache.read(packs) is None


def test_a_link_or_a_pipe_is_not_believed_and_does_not_hang(kept):
    packs, file = kept
    real = file.with_suffix(".real")
    file.rename(real)
    file.symlink_to(real)
    assert cache.read(packs) is None
    file.unlink()
    os.mkfifo(file)
    assert cache.read(packs) is None


@pytest.mark.parametrize("place", ["/dev/null/cache", "/proc/nowhere"])
def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(place, cited_pack, monkeypatch):
    monkeypatch.setenv("RECIPEFORGE_CACHE", place)
    assert "RF1001" in load([cited_pack]).rules


def test_no_home_folder_is_no_reason_to_fail(cited_pack, monkeypatch):
    for name in ("RECIPEFORGE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cache.Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert "RF1001" in load([cited_pack]).rules


def test_the_folder_is_the_users_choice(monkeypatch, tmp_path):
    monkeypatch.setenv("RECIPEFORGE_CACHE", str(tmp_path / "a"))
    assert cache.cache_dir() == tmp_path / "a"
    monkeypatch.delenv("RECIPEFORGE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert cache.cache_dir() == tmp_path / "b" / "recipeforge"


def test_no_temporary_file_stays_behind(kept):
    assert [path.suffix for path in cache.cache_dir().iterdir()] == [".pickle"]


def test_a_write_that_fails_half_way_leaves_nothing(kept, monkeypatch):
    packs, file = kept
    before = file.read_bytes()
    monkeypatch.setattr(cache.Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    cache.write(packs, compile_packs(packs))
    assert list(cache.cache_dir().iterdir()) == [file] and file.read_bytes() == before
