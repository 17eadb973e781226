"""tollhouse --install-completion: what a shell needs to complete commands, as the parser makes it."""

from cyclopts.completion.install import create_install_completion_command

from tollhouse.cli.command_line import build

install = create_install_completion_command(build().install_completion, add_to_startup=True)
