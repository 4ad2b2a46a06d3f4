"""The families of rule codes: what the first digit says."""

FAMILIES: dict[str, str] = {
    "RF0": "The file itself",
    "RF1": "Technique and adapters",
    "RF2": "Quantization and precision",
    "RF3": "Optimizer and scheduler",
    "RF4": "Attention, kernels, compile",
    "RF5": "Memory, batch, data, packing",
    "RF6": "Distributed",
    "RF7": "Hardware and package versions",
    "RF8": "Budgets: memory, bytes, time, cost",
    "RF9": "Parameter golf",
}
