"""Every record is one of three kinds: fact (the outside says), decision (the core concludes),
command (please do this outside). Adding one = one dataclass and one line in `registry.py`.
"""
