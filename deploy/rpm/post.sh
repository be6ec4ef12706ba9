# $1: how many versions are installed after this; a first installation enables the unit and does not start it.
if [ -d /run/systemd/system ]; then systemctl daemon-reload || :; fi
if [ "$1" -eq 1 ]; then systemctl enable nslookout.service >/dev/null 2>&1 || :; fi
