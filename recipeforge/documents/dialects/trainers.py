"""Which of TRL's trainers a file is for. The command says it (`trl dpo --config …`), not the file; its keys often give it away."""

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.key_vocabulary import keys_of

COMMANDS = frozenset({"sft", "dpo", "grpo", "kto", "reward", "rloo"})
"""Trainers with a command of their own; any other is meant only where none of these fits."""
OBJECTIVES = {
    **{name: name for name in (*COMMANDS, "orpo", "cpo", "bco", "xpo", "ppo", "gkd", "minillm", "distillation")},
    "online_dpo": "online-dpo",
    "nash_md": "nash-md",
    "prm": "process-reward",
}
"""Trainer, as the key vocabulary names it → the objective that it trains for."""


def objective(config: Config) -> None:
    """Equip the objective of the only trainer that reads all keys; where several do, leave the slot unsettled."""
    keys = keys_of("trl", "TRL", refuses=False)
    left: frozenset[str] = frozenset()
    telling = ""
    for name in config.entries(config.root):
        readers = frozenset(keys.keys.get(name, {}).get("trainers", ())) if keys else frozenset[str]()
        narrowed = left & readers if left else readers
        if readers and narrowed and narrowed != left:
            left, telling = narrowed, name
    left = left & COMMANDS or left
    if left == frozenset({"kto"}) and config.text("loss_type") not in (None, "kto"):
        left = frozenset()  # that trainer's other loss has no objective of ours
    if len(left) == 1:
        config.equip(OBJECTIVES.get(next(iter(left)), ""), telling)
    if len(left) != 1 or not left <= OBJECTIVES.keys():
        config.out.unsettled = frozenset({"objective"})
