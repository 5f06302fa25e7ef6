#!/usr/bin/env bash
# up.sh: creates a kind cluster with Marquee and two simulated providers. Run again, it brings in what has changed.
#
# KIND_NODE_IMAGE is the node's image, KIND_POSTGRES_IMAGE that of PostgreSQL, and KIND_POSTGRES_ARCHIVE a file to load the latter
# from. Without them, kind's default and the official image are pulled.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind() { go tool kind "$@"; }
step() { printf '\n==> %s\n' "$*"; }

for tool in docker kubectl helm; do
	command -v "$tool" >/dev/null || { echo "$tool is missing; see README.md beside this script" >&2; exit 1; }
done
docker info >/dev/null 2>&1 || { echo "the container engine does not answer: is Docker running?" >&2; exit 1; }
mkdir -p bin
export KUBECONFIG=$PWD/bin/kubeconfig

if ! kind get clusters 2>/dev/null | grep -qx marquee; then
	step "Cluster"
	kind create cluster --config deploy/kind/cluster.yaml ${KIND_NODE_IMAGE:+--image "$KIND_NODE_IMAGE"} --wait 180s
fi
kind export kubeconfig --name marquee >/dev/null 2>&1

step "Image"
# The tag is different for each build: a node does not load another image under a tag that it has already.
make --no-print-directory image VERSION=kind IMAGE=marquee.local/marquee:kind
tag=kind-$(sha256sum "bin/image/$(go env GOARCH).tar" | cut -c1-12)
make --no-print-directory image VERSION=kind IMAGE="marquee.local/marquee:$tag" >/dev/null
kind load image-archive "bin/image/$(go env GOARCH).tar" --name marquee
[ -z "${KIND_POSTGRES_ARCHIVE:-}" ] || kind load image-archive "$KIND_POSTGRES_ARCHIVE" --name marquee

step "Chart"
postgres=()
if [ -n "${KIND_POSTGRES_IMAGE:-}" ]; then
	postgres=(--set-string "database.embedded.image.repository=${KIND_POSTGRES_IMAGE%:*},database.embedded.image.tag=${KIND_POSTGRES_IMAGE##*:}")
fi
kubectl create namespace marquee --dry-run=client -o yaml | kubectl apply -f - >/dev/null
kubectl label namespace marquee pod-security.kubernetes.io/enforce=restricted --overwrite >/dev/null
helm upgrade --install marquee charts/marquee --namespace marquee --values charts/marquee/values-kind.yaml --values deploy/kind/values.yaml \
	--set-string image.repository=marquee.local/marquee,image.tag="$tag" "${postgres[@]}" --wait --timeout 5m >/dev/null
kubectl --namespace marquee get pods

cat <<EOF

GraphiQL:   http://127.0.0.1:8080/graphiql
GraphQL:    http://127.0.0.1:8080/graphql
kubectl:    export KUBECONFIG=$KUBECONFIG
A sync now: kubectl -n marquee create job --from=cronjob/marquee-sync-demo now
Away again: make kind-down

The providers are synced at the next full minute.
EOF
