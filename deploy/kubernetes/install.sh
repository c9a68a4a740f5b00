#!/usr/bin/env bash
# Installs what hodei-k8s needs in a cluster, as often as one likes; or takes it away. Needs bash and kubectl alone.
set -euo pipefail
shopt -s extglob

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly parts=(rbac worker-account network-policy configmap deployment)
readonly mark=hodei.io/made-by-installer

usage() {
    cat <<'END'
Usage: install.sh [options]

  --namespace NAME                where the workers are (hodei-workers)
  --system-namespace NAME         where serve and its account are (hodei-system); one for each installation
  --control-plane-namespace NAME  where Hodei's control plane is, which the workers may reach (the system namespace)
  --grpc-port PORT                on which its Pods listen (9090)
  --monitoring-namespace NAME     from where the metrics of serve may be read (none)
  --provider-id ID                whose workers these are (what is installed, else the workers' namespace)
  --image IMAGE                   of serve (hodei-k8s:0.1.0)
  --timeout DURATION              for serve to become ready, as kubectl takes it (180s)
  --kubeconfig FILE, --context C  which cluster, as for kubectl
  --print                         write the manifests, and ask no cluster
  --dry-run                       say what would change, and change nothing
  --uninstall                     take everything away; namespaces only if this script made them, and
                                  nothing else runs there
  --with-workers                  with --uninstall: also while there are workers, which end with it
  --help

An existing namespace keeps what it has and gets the labels of namespace.yaml.
END
}

fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

say() { printf '%s\n' "$*" >&2; }

workers=hodei-workers system=hodei-system control_plane='' monitoring='' grpc_port=9090 provider_id=''
image=hodei-k8s:0.1.0 timeout=180s action=install with_workers=no
target=()

read_options() {
    local option
    while (($#)); do
        option=$1
        shift
        case $option in
            --print | --dry-run | --uninstall)
                [[ $action == install ]] || fail "$option and --$action exclude each other"
                action=${option#--}
                continue
                ;;
            --with-workers)
                with_workers=yes
                continue
                ;;
            --help | -h)
                usage
                exit 0
                ;;
        esac
        [[ $option == --* ]] || fail "$option is no option; --help lists them"
        (($#)) && [[ -n $1 ]] || fail "$option is not known, or needs a value; --help lists the options"
        case $option in
            --namespace) workers=$1 ;;
            --system-namespace) system=$1 ;;
            --control-plane-namespace) control_plane=$1 ;;
            --monitoring-namespace) monitoring=$1 ;;
            --grpc-port) grpc_port=$1 ;;
            --provider-id) provider_id=$1 ;;
            --image) image=$1 ;;
            --timeout) timeout=$1 ;;
            --kubeconfig | --context) target+=("$option=$1") ;;
            *) fail "$option is not known; --help lists the options" ;;
        esac
        shift
    done
}

check_options() {
    local name
    for name in "$workers" "$system" ${control_plane:+"$control_plane"} ${monitoring:+"$monitoring"}; do
        [[ $name =~ ^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$ ]] || fail "'$name' is no name of a namespace (a DNS label)"
    done
    [[ $workers != "$system" ]] || fail "the workers need another namespace than serve: who may create Pods beside its" \
        "account can run them as it"
    [[ $grpc_port =~ ^[1-9][0-9]{0,4}$ && $grpc_port -lt 65536 ]] || fail "'$grpc_port' is no port"
    [[ -z $provider_id || $provider_id =~ ^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$ ]] ||
        fail "'$provider_id' is no provider id (a value of a label)"
    [[ $provider_id != kubernetes ]] || fail "the provider id 'kubernetes' is the default of every installation: take another"
    [[ $image =~ ^[A-Za-z0-9][A-Za-z0-9._/:@-]*$ ]] || fail "'$image' is no name of an image"
}

kube() { kubectl ${target[@]+"${target[@]}"} "$@"; }

exists() { [[ -n $(kube get "$@" --ignore-not-found --output name) ]]; }

# The manifests with the names of this installation. Placeholders stand between, since one name may contain the other.
render() {
    local part text
    for part in "$@"; do
        text=$(<"$here/$part.yaml")
        text=${text//'HODEI_K8S_PROVIDER_ID: "hodei-workers"'/'HODEI_K8S_PROVIDER_ID: "@PROVIDER@"'}
        text=${text//hodei-workers/@WORKERS@}
        text=${text//hodei-system/@SYSTEM@}
        text=${text//'image: hodei-k8s:0.1.0'/"image: $image"}
        text=${text//'port: 9090}'/"port: $grpc_port}"}
        text=${text//@PROVIDER@/"$provider_id"}
        text=${text//@WORKERS@/"$workers"}
        text=${text//@SYSTEM@/"$system"}
        printf -- '---\n%s\n' "$text"
    done
}

# One system namespace serves one installation; and a provider id that is in use is kept, or its workers would be nobody's.
look_at_what_is_there() {
    kube version --output=json >/dev/null || fail "the cluster cannot be reached (kubectl says why)"
    local installed='' served=''
    if exists namespace "$system" && exists configmap hodei-k8s --namespace "$system"; then
        served=$(kube get configmap hodei-k8s --namespace "$system" --output 'jsonpath={.data.HODEI_K8S_NAMESPACE}')
        installed=$(kube get configmap hodei-k8s --namespace "$system" --output 'jsonpath={.data.HODEI_K8S_PROVIDER_ID}')
        [[ -z $served || $served == "$workers" ]] ||
            fail "the installation in $system is that of the workers in $served; choose another --system-namespace"
    fi
    provider_id=${provider_id:-${installed:-$workers}}
}

make_namespaces() {
    local name
    for name in "$workers" "$system"; do
        exists namespace "$name" && continue
        kube create namespace "$name" --save-config >&2
        kube annotate namespace "$name" "$mark=true" >/dev/null
    done
    render namespace | kube apply --validate=strict --filename - >&2
}

label_namespace() {
    exists namespace "$1" || fail "the namespace $1 does not exist"
    kube label namespace "$1" "$2=true" --overwrite >&2
}

install() {
    look_at_what_is_there
    make_namespaces
    label_namespace "${control_plane:-$system}" "control-plane.hodei.io/$workers"
    [[ -z $monitoring ]] || label_namespace "$monitoring" "monitoring.hodei.io/$system"
    local is_running=no changes
    ! exists deployment hodei-k8s --namespace "$system" || is_running=yes
    changes=$(render "${parts[@]}" | kube apply --validate=strict --filename -) ||
        fail "not everything could be applied (kubectl says why); run it again when that is mended"
    say "$changes"
    # A process reads its settings once.
    if [[ $is_running == yes && $changes == *'configmap/hodei-k8s configured'* ]]; then
        kube rollout restart deployment/hodei-k8s --namespace "$system" >&2
    fi
    verify
    say "hodei-k8s is installed: workers in $workers, provider id $provider_id, serve in $system"
}

# Ready means that the workers could be read; what else the account needs, the audit asks as that very account.
verify() {
    if ! kube rollout status deployment/hodei-k8s --namespace "$system" --timeout "$timeout" >&2; then
        kube get pods --namespace "$system" --selector app.kubernetes.io/name=hodei-k8s >&2 || true
        kube logs deployment/hodei-k8s --namespace "$system" --tail 5 >&2 || true
        fail "serve did not become ready within $timeout; is $image an image that the nodes can have (--image)?"
    fi
    kube exec deployment/hodei-k8s --namespace "$system" -- hodei-k8s doctor --with leases >&2 ||
        fail "serve runs, but the audit found what is named above (hodei-k8s doctor)"
}

# What a server would make of it, where the namespaces are there for it to look into.
dry_run() {
    look_at_what_is_there
    local how=client name
    ! { exists namespace "$workers" && exists namespace "$system"; } || how=server
    for name in ${control_plane:+"$control_plane"} ${monitoring:+"$monitoring"}; do
        exists namespace "$name" || fail "the namespace $name does not exist"
    done
    render namespace "${parts[@]}" | kube apply --validate=strict --dry-run="$how" --filename -
    say "nothing was changed"
}

uninstall() {
    look_at_what_is_there
    local there name label
    if exists namespace "$workers"; then
        there=$(kube get pods --namespace "$workers" --selector hodei.io/managed=true --output name)
        [[ -z $there || $with_workers == yes ]] ||
            fail "there are workers in $workers, which would end: ${there//$'\n'/ } (--with-workers takes them away, too)"
        [[ -z $there ]] || kube delete pods --namespace "$workers" --selector hodei.io/managed=true >&2
    fi
    # First the processes, to their end: they let go of the lease, and make no other one.
    render deployment | kube delete --ignore-not-found --cascade=foreground --filename - >&2
    render network-policy configmap rbac worker-account | kube delete --ignore-not-found --filename - >&2
    for label in "control-plane.hodei.io/$workers" "monitoring.hodei.io/$system"; do
        for name in $(kube get namespaces --selector "$label" --output name); do
            kube label "$name" "$label-" >&2
        done
    done
    remove_lease
    for name in "$workers" "$system"; do
        ! exists namespace "$name" || remove_namespace "$name"
    done
    say "hodei-k8s is uninstalled"
}

remove_namespace() {
    local left
    if [[ $(kube get namespace "$1" --output "jsonpath={.metadata.annotations.${mark//./\\.}}") != true ]]; then
        say "the namespace $1 was there before, and stays, with its Pod Security labels"
        return
    fi
    left=$(kube get pods,deployments.apps,statefulsets.apps,jobs.batch --namespace "$1" --output name)
    if [[ -n $left ]]; then
        say "the namespace $1 stays, since others run in it: ${left//$'\n'/ }"
        return
    fi
    kube delete namespace "$1" >&2
}

# The election's: its name is made of the provider id, with a checksum behind it where the id is no name as it is.
remove_lease() {
    exists namespace "$workers" || return 0
    local lease plain
    plain=$(tr '[:upper:]' '[:lower:]' <<<"$provider_id")
    plain=${plain//+([^a-z0-9-])/-}
    plain=${plain##+(-)}
    plain=${plain%%+(-)}
    for lease in $(kube get leases --namespace "$workers" --output name); do
        [[ ! $lease =~ /hodei-k8s-"$plain"(-[0-9a-f]{8})?$ ]] || kube delete --namespace "$workers" "$lease" >&2
    done
}

read_options "$@"
check_options
if [[ $action == print ]]; then
    provider_id=${provider_id:-$workers}
    render namespace "${parts[@]}"
    exit
fi
command -v kubectl >/dev/null || fail "kubectl is not on the PATH"
case $action in
    install) install ;;
    dry-run) dry_run ;;
    uninstall) uninstall ;;
esac
