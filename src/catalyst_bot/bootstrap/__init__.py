"""Bootstrap: the only place that knows concrete classes. Start reading at `modes.py`."""
