"""The operator's process: it watches over the fleets of its clusters, reconciles them, and answers on one port."""

from hodei_k8s_transport.service.serve.process import ServeOptions, serve

__all__ = ["ServeOptions", "serve"]
