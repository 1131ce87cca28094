"""Openbox, told to show one program over the whole screen, or several on a small desktop."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, Literal
from xml.sax.saxutils import escape

from ...models import ServiceError
from ...sentences import say

WindowStyle = Literal["full", "desktop"]

_PROGRAM: Final = "openbox"
_FULL: Final = """
    <application type="normal">
      <decor>no</decor><maximized>yes</maximized><focus>yes</focus>
    </application>"""
_CENTRED: Final = """
    <application type="dialog">
      <position force="no"><x>center</x><y>center</y></position><focus>yes</focus>
    </application>"""

# Nothing in it depends on the student's own configuration, or is kept from run to run.
_SETTINGS: Final = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse></focus>
  <placement><policy>Smart</policy><center>yes</center></placement>
  <theme><name>Clearlooks</name><titleLayout>{buttons}</titleLayout></theme>
  <desktops><number>1</number><popupTime>0</popupTime></desktops>
  <keyboard>
    <keybind key="A-F4"><action name="Close"/></keybind>
    <keybind key="A-Tab"><action name="NextWindow"/></keybind>
    <keybind key="A-S-Tab"><action name="PreviousWindow"/></keybind>
  </keyboard>
  <mouse>
    <context name="Titlebar">
      <mousebind button="Left" action="Drag"><action name="Move"/></mousebind>
      <mousebind button="Left" action="DoubleClick"><action name="ToggleMaximize"/></mousebind>
    </context>
    <context name="Titlebar Top Right Bottom Left TLCorner TRCorner BRCorner BLCorner">
      <mousebind button="Left" action="Press">
        <action name="Focus"/><action name="Raise"/>
      </mousebind>
    </context>
    <context name="Top Right Bottom Left TLCorner TRCorner BRCorner BLCorner">
      <mousebind button="Left" action="Drag"><action name="Resize"/></mousebind>
    </context>
    <context name="Client">
      <mousebind button="Left" action="Press">
        <action name="Focus"/><action name="Raise"/>
      </mousebind>
      <mousebind button="Middle" action="Press">
        <action name="Focus"/><action name="Raise"/>
      </mousebind>
      <mousebind button="Right" action="Press">
        <action name="Focus"/><action name="Raise"/>
      </mousebind>
    </context>
    <context name="Close">
      <mousebind button="Left" action="Click"><action name="Close"/></mousebind>
    </context>
    <context name="Maximize">
      <mousebind button="Left" action="Click"><action name="ToggleMaximize"/></mousebind>
    </context>{root}
  </mouse>
  <menu><file>{menu}</file><hideDelay>200</hideDelay></menu>
  <applications>{rules}
  </applications>
</openbox_config>
"""
_ROOT: Final = """
    <context name="Root">
      <mousebind button="Left" action="Press">
        <action name="ShowMenu"><menu>client-list-combined-menu</menu></action>
      </mousebind>
      <mousebind button="Right" action="Press">
        <action name="ShowMenu"><menu>client-list-combined-menu</menu></action>
      </mousebind>
    </context>"""
_MENU: Final = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_menu xmlns="http://openbox.org/3.4/menu"/>
"""


def missing() -> ServiceError | None:
    """Whether it is installed."""
    if shutil.which(_PROGRAM):
        return None
    return ServiceError(
        "program-missing",
        say("Desktop programs need the window manager openbox, which is not installed."),
        say("Install it with `apt-get install openbox` as the machine's administrator."),
    )


def write_settings(folder: Path, style: WindowStyle) -> tuple[str, ...]:
    """Write its settings into ``folder``; return the words it is started with.

    As soon as it is at work it sends SIGUSR1 to the process that stands in for ``{session}``.
    A window of a program's own (``full``) has neither frame nor buttons and fills the screen;
    dialogs keep theirs.
    """
    full = style == "full"
    menu = folder / "menu.xml"
    menu.write_text(_MENU, "utf-8")
    settings = folder / "openbox.xml"
    settings.write_text(
        _SETTINGS.format(
            buttons="LC" if full else "LMC",
            root="" if full else _ROOT,
            menu=escape(str(menu)),
            rules=(_FULL if full else "") + _CENTRED,
        ),
        "utf-8",
    )
    return (
        shutil.which(_PROGRAM) or _PROGRAM,
        *("--sm-disable", "--config-file", str(settings)),
        # It says that it is there before it is: a window that opens in between is never shown.
        *("--startup", "sh -c 'kill -USR1 {session}'"),
    )
