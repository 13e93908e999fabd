"""What torch writes: archives and streams of ``torch.save``, exported programs, distributed checkpoints."""
