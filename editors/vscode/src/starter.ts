/** The recipe that a new file begins with: small, valid, and trainable on one consumer GPU. */
export const starter = `recipeforge: 1
name: my-first-recipe
model: HuggingFaceTB/SmolLM2-135M      # hub id, local folder, or package:NAME
technique: {use: lora, rank: 16, alpha: 32}
optimizer: {use: adamw, learning_rate: 2.0e-4}
scheduler: {use: cosine, warmup_ratio: 0.03}
precision: bf16
attention: sdpa
data: {source: ./train.jsonl, format: chat, sequence_length: 1024}
batch: {micro: 4, accumulate: 4}
train: {epochs: 1}
hardware: {gpu: rtx-4090, count: 1}
seed: 17
`;
