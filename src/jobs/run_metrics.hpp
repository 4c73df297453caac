#pragma once

#include "observe/metrics.hpp"

namespace weir::jobs::metric {

using observe::MetricDefinition;
using observe::MetricType;

// The metrics of a run; docs/events.md explains them.
inline constexpr MetricDefinition kItems{"weir_items_total", MetricType::counter, "Items by result."};
inline constexpr MetricDefinition kDamagedItems{"weir_damaged_items_total", MetricType::counter,
                                                "Items done, now or before, from an input that is damaged."};
inline constexpr MetricDefinition kWork{"weir_work_total", MetricType::counter, "Work done, by unit (megapixels)."};
inline constexpr MetricDefinition kBusySeconds{"weir_device_busy_seconds_total", MetricType::counter,
                                               "Seconds in which a device had an item."};
inline constexpr MetricDefinition kQueueBytes{"weir_queue_bytes", MetricType::gauge,
                                              "Bytes that the waiting items are expected to write."};
inline constexpr MetricDefinition kQueueItems{"weir_queue_items", MetricType::gauge, "Items that wait."};
inline constexpr MetricDefinition kVariantChanges{"weir_variant_changes_total", MetricType::counter,
                                                  "Items that went to the next variant, by variant."};
inline constexpr MetricDefinition kRetries{"weir_retries_total", MetricType::counter, "Items tried again, by reason."};
inline constexpr MetricDefinition kRestarts{"weir_worker_restarts_total", MetricType::counter,
                                            "Workers started again, by device and reason."};
inline constexpr MetricDefinition kPlannedMemory{"weir_memory_planned_bytes", MetricType::gauge,
                                                 "Memory planned for the running item, by device and kind."};
inline constexpr MetricDefinition kMeasuredMemory{"weir_memory_measured_bytes", MetricType::gauge,
                                                  "Memory that a worker holds, by device and kind."};
inline constexpr MetricDefinition kPoolBytes{
    "weir_pool_bytes", MetricType::gauge,
    "Memory in the pool of a worker's device, by kind: allocated, in_use, idle, peak."};
inline constexpr MetricDefinition kPoolRequests{"weir_pool_requests_total", MetricType::counter,
                                                "Requests of a worker to the pool, by result: hits, misses."};
inline constexpr MetricDefinition kLeakSlope{"weir_leak_slope_bytes_per_item", MetricType::gauge,
                                             "Growth of a worker after an item, over the last twenty."};
inline constexpr MetricDefinition kStageSeconds{"weir_stage_seconds_total", MetricType::counter,
                                                "Seconds by device and stage: decode, network, encode, sync, wait."};

}  // namespace weir::jobs::metric
