# zsh_complete.py - what zsh offers at a prompt when one presses TAB
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: zsh_complete.py FOLDER "WORDS BEHIND provostctl"
#
# FOLDER has _provostctl, as it is installed. zsh has a terminal of its own; its
# list of choices is asked for and printed a line each, sorted.
import os
import pty
import select
import sys
import time

FOLDER, WORDS = sys.argv[1:3]
MARK = "list-is-complete"
SETUP = f"""
PS1='' PS2='' RPS1=''
unset zle_bracketed_paste
fpath=({FOLDER} $fpath)
autoload -Uz compinit
compinit -u -d {FOLDER}/zcompdump
setopt no_beep
compadd() {{
    # What completes the word: asked of the real one, and written down.
    builtin compadd -O provost_found "$@"
    print -rl -- $provost_found >>{FOLDER}/found
    builtin compadd "$@"
}}
provost_list() {{
    : >{FOLDER}/found
    zle complete-word
    : >{FOLDER}/{MARK}
}}
zle -N provost_list
bindkey '^X' provost_list
: >{FOLDER}/ready
"""


def drain(terminal, until, seconds=20):
    """Reads what zsh prints until the file is there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not os.path.exists(until):
        if select.select([terminal], [], [], 0.02)[0]:
            try:
                os.read(terminal, 65536)
            except OSError:
                return


for name in ("found", MARK, "ready"):
    if os.path.exists(f"{FOLDER}/{name}"):
        os.remove(f"{FOLDER}/{name}")
with open(f"{FOLDER}/setup.zsh", "w", encoding="utf-8") as file:
    file.write(SETUP)
pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "dumb"
    os.execvp("zsh", ["zsh", "-f", "-i"])
os.write(terminal, f"source {FOLDER}/setup.zsh\n".encode())
drain(terminal, f"{FOLDER}/ready")
time.sleep(0.1)
os.write(terminal, f"provostctl {WORDS}\x18".encode())
drain(terminal, f"{FOLDER}/{MARK}")
os.close(terminal)
os.waitpid(pid, 0)
with open(f"{FOLDER}/found", encoding="utf-8") as file:
    found = {line for line in file.read().split("\n") if line}
print("\n".join(sorted(found)))
