// The Kubernetes API server and its etcd, in one process, for tests.
//
// It takes the flags of kube-apiserver, and one before them: --etcd-data-dir, where etcd keeps its data.
// Everything else about etcd is decided here: loopback, a free port, no fsync (a test's data need not survive
// a loss of power; it does survive a kill of this process).
package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

const dataDirFlag = "--etcd-data-dir="

func main() {
	if len(os.Args) < 2 || !strings.HasPrefix(os.Args[1], dataDirFlag) {
		// Such as --version and --help.
		os.Exit(cli.Run(app.NewAPIServerCommand()))
	}
	address, err := startEtcd(strings.TrimPrefix(os.Args[1], dataDirFlag))
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		os.Exit(1)
	}
	command := app.NewAPIServerCommand()
	command.SetArgs(append([]string{"--etcd-servers=" + address}, os.Args[2:]...))
	os.Exit(cli.Run(command))
}

// startEtcd answers the address of its client listener once it serves.
func startEtcd(dataDir string) (string, error) {
	// Port 0: the kernel gives a free one. Nobody ever connects to the peer's.
	loopback := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config := embed.NewConfig()
	config.Dir = dataDir
	config.UnsafeNoFsync = true
	config.LogLevel = "error"
	config.ListenClientUrls = []url.URL{loopback}
	config.AdvertiseClientUrls = []url.URL{loopback}
	config.ListenPeerUrls = []url.URL{loopback}
	config.AdvertisePeerUrls = []url.URL{loopback}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	// No heartbeat to a peer ever fails for want of one; a short election makes a quick start.
	config.TickMs = 10
	config.ElectionMs = 100
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return "", err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return "http://" + etcd.Clients[0].Addr().String(), nil
	case err := <-etcd.Err():
		return "", err
	case <-time.After(30 * time.Second):
		return "", fmt.Errorf("not ready within 30 seconds")
	}
}
