"""Image classification: data sets, post-processing, top-1 accuracy, workloads."""
