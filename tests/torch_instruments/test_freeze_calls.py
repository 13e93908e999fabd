"""What is gathered at the end does not walk a model once for every call that froze a part of it."""

import torch
from torch import nn
from toy import rows, train, watched


class Walked(nn.Sequential):
    """Layers that count how often anybody walks all of them."""

    walks = 0

    def named_modules(self, *arguments, **options):
        Walked.walks += 1
        return super().named_modules(*arguments, **options)


def walks(layers: int) -> int:
    def script():
        Walked.walks = 0
        model = Walked(*[nn.Linear(4, 4) for _ in range(layers)])
        for layer in model[:-1]:
            layer.requires_grad_(False)
        train(model, torch.optim.SGD(model[-1].parameters(), 0.1), rows(2))

    watched(script)
    return Walked.walks


def test_more_calls_of_requires_grad_take_no_more_walks():
    assert 0 < walks(4) == walks(40)
