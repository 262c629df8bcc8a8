// The two controllers of Kubernetes that tests need, as they are: the garbage collector and the one that empties
// and ends deleted namespaces.
//
// kube-controller-manager would do; it takes four times as long to build, and its garbage collector needs up to
// half a minute to see a kind that was defined after its start. This one needs a second or two.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
)

const (
	workers         = 5
	discoveryPeriod = time.Second
	resyncPeriod    = 12 * time.Hour
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "the server, and an administrator's token")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err == nil {
		config.QPS = -1 // no limit of the client's own
		err = run(context.Background(), config)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func run(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	objects, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	typed := informers.NewSharedInformerFactory(client, resyncPeriod)
	untyped := metadatainformer.NewSharedInformerFactory(objects, resyncPeriod)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	started := make(chan struct{})

	ignored := map[schema.GroupResource]struct{}{}
	for resource := range garbagecollector.DefaultIgnoredResources() {
		ignored[resource] = struct{}{}
	}
	collector, err := garbagecollector.NewGarbageCollector(
		ctx, client, objects, mapper, ignored, informerfactory.NewInformerFactory(typed, untyped), started,
	)
	if err != nil {
		return err
	}
	namespaces := namespace.NewNamespaceController(
		ctx, client, objects, client.Discovery().ServerPreferredNamespacedResources,
		typed.Core().V1().Namespaces(), resyncPeriod, corev1.FinalizerKubernetes,
	)

	typed.Start(ctx.Done())
	untyped.Start(ctx.Done())
	close(started)
	go namespaces.Run(ctx, workers)
	go collector.Sync(ctx, client.Discovery(), discoveryPeriod)
	collector.Run(ctx, workers, discoveryPeriod)
	return ctx.Err()
}
