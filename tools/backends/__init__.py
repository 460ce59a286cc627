"""Engines that a merchant runs, read with the same expressions as the workspace's own."""
