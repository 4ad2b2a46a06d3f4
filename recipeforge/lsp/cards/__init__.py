"""What a popup says about one thing, as Markdown: short paragraphs, the most urgent first. One file a kind of thing."""
