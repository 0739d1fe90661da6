"""Object detection: data sets, boxes, post-processing, mean average precision, workloads."""
