#pragma once

#include <vector>

#include "audit/finding.hpp"
#include "audit/module.hpp"

namespace weir::audit {

// Expressions of Python said otherwise; each looks at the event's own text. Empty where it is written in another way.

/// nvmlDeviceGetHandleByIndex(torch...) -> nvmlDeviceGetHandleByUUID() of the same card.
std::vector<Edit> rewrite_lookup_by_uuid(const Module& module, const Event& event);
/// "cuda" if torch.cuda.is_available() else "cpu" -> "cuda": the first use fails and says so.
std::vector<Edit> remove_fallback(const Module& module, const Event& event);
/// int(os.environ["CUDA_VISIBLE_DEVICES"]) -> 0, the first visible card.
std::vector<Edit> replace_with_first_visible(const Module& module, const Event& event);
/// total_memory - torch.cuda.memory_allocated(x) -> torch.cuda.mem_get_info(x)[0].
std::vector<Edit> replace_free_memory_estimate(const Module& module, const Event& event);
/// empty_cache(); gc.collect() -> the other way round, where they are neighbours on lines of their own.
std::vector<Edit> swap_statements(const Module& module, const Event& first, const Event& second);

}  // namespace weir::audit
