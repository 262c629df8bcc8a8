"""`python -m reconciler.commands` is `infisical-reconciler`."""

from reconciler.commands import main

main()
