"""Deep Q-learning under Lightning with manual steps, and a target that is loaded anew every eighth one (DQN)."""

import logging
import warnings

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
L.seed_everything(0, verbose=False)


def network():
    return nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 3))


class DQN(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net, self.target_net = network(), network()
        self.target_net.load_state_dict(self.net.state_dict())

    def training_step(self, batch, index):
        states, actions, rewards, following = batch
        values = self.net(states).gather(1, actions[:, None])[:, 0]
        with torch.no_grad():
            wanted = rewards + 0.99 * self.target_net(following).max(1)[0]
        if self.global_step % 8 == 0:
            self.target_net.load_state_dict(self.net.state_dict())
        return nn.functional.mse_loss(values, wanted)

    def configure_optimizers(self):
        return torch.optim.Adam(self.net.parameters(), lr=1e-3)


states, actions = torch.randn(320, 4), torch.randint(0, 3, (320,))
played = TensorDataset(states, actions, states[:, 0] * actions, states + 0.1 * torch.randn(320, 4))
trainer = L.Trainer(
    max_epochs=4, logger=False, enable_checkpointing=False, enable_progress_bar=False, accelerator="cpu"
)
model = DQN()
trainer.fit(model, DataLoader(played, batch_size=32, shuffle=True))
print(f"mean {sum(each.mean().item() for each in model.net.parameters()):.4f}")
