package chart

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/apps"
	// Their kinds are in the scheme once these are loaded.
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	conversion "k8s.io/kubernetes/pkg/apis/core/v1"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
	"k8s.io/kubernetes/pkg/registry/batch/cronjob"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/secret"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/networking/ingress"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	sigyaml "sigs.k8s.io/yaml"
)

// strategies are what the API server does with a new object of each kind that the chart makes.
func strategies() map[schema.GroupKind]rest.RESTCreateStrategy {
	return map[schema.GroupKind]rest.RESTCreateStrategy{
		{Kind: "ConfigMap"}:                  configmap.Strategy,
		{Kind: "Pod"}:                        pod.Strategy,
		{Kind: "Secret"}:                     secret.Strategy,
		{Kind: "Service"}:                    service.Strategy,
		{Kind: "ServiceAccount"}:             serviceaccount.Strategy,
		{Group: "apps", Kind: "Deployment"}:  deployment.Strategy,
		{Group: "apps", Kind: "StatefulSet"}: statefulset.Strategy,
		{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}: horizontalpodautoscaler.Strategy,
		{Group: "batch", Kind: "CronJob"}:                       cronjob.Strategy,
		{Group: "batch", Kind: "Job"}:                           job.Strategy,
		{Group: "networking.k8s.io", Kind: "Ingress"}:           ingress.Strategy,
		{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:     networkpolicy.Strategy,
		{Group: "policy", Kind: "PodDisruptionBudget"}:          poddisruptionbudget.Strategy,
	}
}

// foreign are kinds of operators, whose validation is not part of Kubernetes.
func foreign() []string {
	return []string{"gateway.networking.k8s.io", "monitoring.coreos.com", "postgresql.cnpg.io"}
}

// server stands for the API server of a cluster whose namespaces enforce Pod Security's restricted.
type server struct {
	namespace  string
	strategies map[schema.GroupKind]rest.RESTCreateStrategy
	decoder    runtime.Decoder
	security   policy.Evaluator
}

func newServer() (*server, error) {
	security, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	codecs := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)
	return &server{namespace: "events", strategies: strategies(), decoder: codecs.UniversalDecoder(), security: security}, nil
}

// admit gives kind and name of a manifest, and what is wrong with it: an unknown field, an invalid value, a pod that restricted does not admit.
func (s *server) admit(manifest string) (id string, err error) {
	var object unstructured.Unstructured
	if err := sigyaml.UnmarshalStrict([]byte(manifest), &object.Object); err != nil {
		return "", err
	}
	gvk := object.GroupVersionKind()
	id = gvk.Kind + " " + object.GetName()
	if slices.Contains(foreign(), gvk.Group) {
		return id, nil
	}
	if err := s.validate(manifest, gvk); err != nil {
		return id, fmt.Errorf("%s: %w", id, err)
	}
	return id, nil
}

func (s *server) validate(manifest string, gvk schema.GroupVersionKind) error {
	object, _, err := s.decoder.Decode([]byte(manifest), nil, nil)
	if err != nil {
		return err
	}
	strategy, known := s.strategies[gvk.GroupKind()]
	if !known {
		return errors.New("this kind has no strategy here: add it")
	}
	ctx := request.WithNamespace(context.Background(), s.namespace)
	ctx = request.WithRequestInfo(ctx, &request.RequestInfo{
		IsResourceRequest: true, Verb: "create", APIGroup: gvk.Group, APIVersion: gvk.Version, Resource: strings.ToLower(gvk.Kind) + "s",
	})
	meta, err := apimeta.Accessor(object)
	if err != nil {
		return err
	}
	rest.FillObjectMetaSystemFields(meta)
	if service, ok := object.(*core.Service); ok { // as its allocator does
		service.Spec.ClusterIP = cmp.Or(service.Spec.ClusterIP, "10.96.0.10")
		service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}
	}
	if err := rest.BeforeCreate(strategy, ctx, object); err != nil {
		return err
	}
	if template := podOf(object); template != nil {
		return s.restrict(template)
	}
	return nil
}

// restrict holds a pod to Pod Security's restricted, and to what the chart says of all its pods.
func (s *server) restrict(template *core.PodTemplateSpec) error {
	var spec corev1.PodSpec
	if err := conversion.Convert_core_PodSpec_To_v1_PodSpec(&template.Spec, &spec, nil); err != nil {
		return err
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	result := policy.AggregateCheckResults(s.security.EvaluatePod(level, &template.ObjectMeta, &spec))
	if !result.Allowed {
		return errors.New("pod security: " + result.ForbiddenDetail())
	}
	if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
		return errors.New("its pods have a token of the API")
	}
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		if c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
			return fmt.Errorf("container %s can write to its image's file system", c.Name)
		}
	}
	return nil
}

// podOf is the pod that an object makes, nil if it makes none.
func podOf(object runtime.Object) *core.PodTemplateSpec {
	switch o := object.(type) {
	case *core.Pod:
		return &core.PodTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec}
	case *apps.Deployment:
		return &o.Spec.Template
	case *apps.StatefulSet:
		return &o.Spec.Template
	case *batch.Job:
		return &o.Spec.Template
	case *batch.CronJob:
		return &o.Spec.JobTemplate.Spec.Template
	default:
		return nil
	}
}
