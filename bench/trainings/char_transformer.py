"""A character transformer learns to go on with the Zen of Python: 0.6 million parameters, AdamW."""

import contextlib
import io
import sys

import torch
from torch import nn

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 300
torch.manual_seed(0)
with contextlib.redirect_stdout(io.StringIO()) as printed:
    import this  # noqa: F401
text = printed.getvalue() * 4
letters = sorted(set(text))
codes = torch.tensor([letters.index(letter) for letter in text])


class CharTransformer(nn.Module):
    def __init__(self, width=128, depth=3, span=32):
        super().__init__()
        self.letters = nn.Embedding(len(letters), width)
        self.places = nn.Embedding(span, width)
        block = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.1, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, len(letters))
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(span), persistent=False)

    def forward(self, given):
        hidden = self.letters(given) + self.places.weight
        return self.head(self.norm(self.blocks(hidden, mask=self.mask, is_causal=True)))


model = CharTransformer()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
for _ in range(steps):
    starts = torch.randint(len(codes) - 33, (8,))
    batch = torch.stack([codes[start : start + 33] for start in starts])
    logits = model(batch[:, :-1])
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
print(f"loss {loss.item():.6f}")
