#pragma once

#include "observe/metrics.hpp"

namespace weir::jobs::metric {

using observe::MetricName;
using observe::MetricType;

/// docs/events.md explains them.
inline constexpr MetricName kItems{"weir_items_total", MetricType::counter, "Items by result."};
inline constexpr MetricName kDamaged{"weir_damaged_items_total", MetricType::counter,
                                     "Items done, now or before, from an input that is damaged."};
inline constexpr MetricName kWork{"weir_work_total", MetricType::counter, "Work done, by unit (megapixels)."};
inline constexpr MetricName kBusy{"weir_device_busy_seconds_total", MetricType::counter,
                                  "Seconds in which a device had an item."};
inline constexpr MetricName kQueue{"weir_queue_bytes", MetricType::gauge,
                                   "Bytes that the waiting items are expected to write."};
inline constexpr MetricName kWaiting{"weir_queue_items", MetricType::gauge, "Items that wait."};
inline constexpr MetricName kVariants{"weir_variant_changes_total", MetricType::counter,
                                   "Items that went to the next variant, by reason."};
inline constexpr MetricName kRetries{"weir_retries_total", MetricType::counter, "Items tried again, by reason."};
inline constexpr MetricName kRestarts{"weir_worker_restarts_total", MetricType::counter,
                                      "Workers started again, by device and reason."};
inline constexpr MetricName kPlanned{"weir_memory_planned_bytes", MetricType::gauge,
                                     "Memory planned for the running item, by device and kind."};
inline constexpr MetricName kMeasured{"weir_memory_measured_bytes", MetricType::gauge,
                                      "Memory that a worker holds, by device and kind."};
inline constexpr MetricName kPool{"weir_pool_bytes", MetricType::gauge,
                                  "Memory in the pool of a worker's device, by kind: allocated, in_use, idle, peak."};
inline constexpr MetricName kPoolRequests{"weir_pool_requests_total", MetricType::counter,
                                          "Requests of a worker to the pool, by result: hits, misses."};
inline constexpr MetricName kLeak{"weir_leak_slope_bytes_per_item", MetricType::gauge,
                                  "Growth of a worker after an item, over the last twenty."};
inline constexpr MetricName kStages{"weir_stage_seconds_total", MetricType::counter,
                                    "Seconds by stage: decode, network, encode, sync, wait."};

}  // namespace weir::jobs::metric
