"""Both implementations of the cluster protocol, the watcher over them, and the directory of manifests."""
