#pragma once

#include <vector>

#include "audit/finding.hpp"
#include "audit/module.hpp"

namespace weir::audit {

// Rewrites of Python expressions. Each function returns no edits if the file does not parse, if the code of the event
// does not have the form that the function's comment shows, or if the edit would delete or misplace a comment.

/// Rewrites nvmlDeviceGetHandleByIndex(torch...) to nvmlDeviceGetHandleByUUID(...) for the same card.
std::vector<Edit> rewrite_lookup_by_uuid(const Module& module, const Event& event);
/// Rewrites an expression such as "cuda" if torch.cuda.is_available() else "cpu" to its part for a GPU, "cuda", so that
/// the program fails where there is no GPU.
std::vector<Edit> remove_fallback(const Module& module, const Event& event);
/// Rewrites int(os.environ["CUDA_VISIBLE_DEVICES"]) to 0, the first visible card.
std::vector<Edit> replace_with_first_visible(const Module& module, const Event& event);
/// Rewrites total_memory - torch.cuda.memory_allocated(x) to torch.cuda.mem_get_info(x)[0]; memory_reserved(x), too.
std::vector<Edit> replace_free_memory_estimate(const Module& module, const Event& event);
/// Swaps two calls, such as empty_cache() and gc.collect(), if they are whole statements on neighbouring lines and in
/// the same branches.
std::vector<Edit> swap_statements(const Module& module, const Event& upper, const Event& lower);

}  // namespace weir::audit
