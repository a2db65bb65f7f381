"""An adversary for the codec: discriminators on spectrograms at several resolutions, hinge losses.

After Défossez et al. (2022, § 3.4): complex spectrograms through small stacks of convolutions, one a
resolution; hinge losses; relative feature matching. Deviations: three resolutions and :data:`WIDTH` channels, for
one core; the discriminators learn at the codec's own step size, with the same optimiser, on the same batch: the codec's
loss is taken through frozen copies of their weights, so that one backward pass serves both.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

WINDOWS = (2048, 1024, 512)
WIDTH = 16
#: Weights of the adversarial and the feature-matching loss beside the codec's others.
ADVERSARIAL, MATCHING = 0.3, 0.3

Judged = tuple[torch.Tensor, list[torch.Tensor]]


class SpectrogramDiscriminator(nn.Module):
    """One resolution: ``[batch, time]`` to logits ``[batch, 1, frame, bin]`` and the layers before them."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(2, WIDTH, (3, 9), padding=(1, 4)),
                nn.Conv2d(WIDTH, WIDTH, (3, 9), stride=(1, 2), padding=(1, 4)),
                nn.Conv2d(WIDTH, WIDTH, (3, 9), stride=(1, 2), dilation=(2, 1), padding=(2, 4)),
                nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            ]
        )
        self.head = nn.Conv2d(WIDTH, 1, 3, padding=1)

    def forward(self, sound: torch.Tensor) -> Judged:
        shape = torch.hann_window(self.window, device=sound.device)
        z = torch.stft(
            sound, self.window, self.window // 4, window=shape, normalized=True, return_complex=True
        )
        x = torch.stack([z.real, z.imag], dim=1).transpose(2, 3)  # batch part frame bin
        layers = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            layers.append(x)
        return self.head(x), layers


class Adversary(nn.Module):
    """All resolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.each = nn.ModuleList([SpectrogramDiscriminator(window) for window in WINDOWS])

    def forward(self, sound: torch.Tensor) -> list[Judged]:
        return [one(sound) for one in self.each]

    def losses(self, output: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss of both sides for ``[batch, time]`` sounds, to be added to the codec's others.

        Gradients of the first part reach the discriminators alone, those of the second the codec alone.
        """
        real, fake = self(target), self(output.detach())
        own = sum(
            (F.relu(1 - a).mean() + F.relu(1 + b).mean() for (a, _), (b, _) in zip(real, fake, strict=True))
        )
        frozen = {name: value.detach() for name, value in self.named_parameters()}
        judged = functional_call(self, frozen, (output,))
        fooled, matched = output.new_zeros(()), output.new_zeros(())
        for (logits, layers), (_, wanted) in zip(judged, real, strict=True):
            fooled = fooled + F.relu(1 - logits).mean()
            for ours, theirs in zip(layers, [layer.detach() for layer in wanted], strict=True):
                matched = matched + (ours - theirs).abs().mean() / (theirs.abs().mean() + 1e-6) / len(layers)
        count = len(self.each)
        assert isinstance(own, torch.Tensor)
        loss = (own + ADVERSARIAL * fooled + MATCHING * matched) / count
        return loss, {
            "discriminator": float(own.detach()) / count,
            "matching": float(matched.detach()) / count,
        }
