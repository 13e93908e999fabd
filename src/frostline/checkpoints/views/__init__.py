"""What the commands on checkpoint files show: as JSON (documents), and as text, Markdown and HTML (render)."""
