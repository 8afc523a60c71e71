// SPDX-License-Identifier: Apache-2.0

// Kubecheck does to manifests what Kubernetes' own tools would, with their code.
//
//	kubecheck build DIRECTORY  print what kustomize makes of it, one object a line, as JSON
//	kubecheck check < OBJECTS  refuse what the API server would: unknown fields, wrong types, and pods
//	                           that the restricted profile of Pod Security forbids
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func build(directory string) error {
	kustomizer := krusty.MakeKustomizer(krusty.MakeDefaultOptions())
	resources, err := kustomizer.Run(filesys.MakeFsOnDisk(), directory)
	if err != nil {
		return err
	}
	for _, resource := range resources.Resources() {
		text, err := resource.MarshalJSON()
		if err != nil {
			return err
		}
		fmt.Println(string(bytes.TrimSpace(text)))
	}
	return nil
}

// strict decodes what is in Kubernetes' core, apps and RBAC, every field of it.
func strict() (runtime.Decoder, error) {
	scheme := runtime.NewScheme()
	err := errors.Join(corev1.AddToScheme(scheme), appsv1.AddToScheme(scheme), rbacv1.AddToScheme(scheme))
	if err != nil {
		return nil, err
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer(), nil
}

// podOf is nil for what runs no pods.
func podOf(object runtime.Object) *corev1.PodTemplateSpec {
	switch o := object.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template
	case *appsv1.DaemonSet:
		return &o.Spec.Template
	case *corev1.Pod:
		return &corev1.PodTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec}
	default:
		return nil
	}
}

// restricted has an error for each rule of the profile that the pod breaks.
func restricted(evaluator policy.Evaluator, pod *corev1.PodTemplateSpec) error {
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	var broken []error
	for _, result := range evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			broken = append(broken, fmt.Errorf("%s: %s", result.ForbiddenReason, result.ForbiddenDetail))
		}
	}
	return errors.Join(broken...)
}

func check(in io.Reader) error {
	decoder, err := strict()
	if err != nil {
		return err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		return err
	}
	objects := json.NewDecoder(in)
	for {
		var text json.RawMessage
		if err := objects.Decode(&text); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		object, kind, err := decoder.Decode(text, nil, nil)
		if err != nil {
			return err
		}
		name := object.(metav1.Object).GetName()
		if pod := podOf(object); pod != nil {
			if err := restricted(evaluator, pod); err != nil {
				return fmt.Errorf("%s %s: %w", kind.Kind, name, err)
			}
		}
		fmt.Println(kind.Kind, name)
	}
}

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "build":
		err = build(os.Args[2])
	case len(os.Args) == 2 && os.Args[1] == "check":
		err = check(os.Stdin)
	default:
		err = errors.New("usage: kubecheck build DIRECTORY | kubecheck check")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
