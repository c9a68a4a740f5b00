"""Every setting of a provider: the configuration, its table of settings, its builder, and the environment."""

from hodei_k8s_core.config.kubernetes_config import KubernetesConfig, flat_values

__all__ = ["KubernetesConfig", "flat_values"]
