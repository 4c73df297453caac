#include "base/pipeline.hpp"

#include "base/threads.hpp"

namespace weir {

Pipeline::~Pipeline() {
  if (!threads_.empty()) cancel_();
}

void Pipeline::start(std::function<Status()> stage) {
  auto thread = start_thread([this, stage = std::move(stage)] { end_stage(catch_resource_errors(stage)); });
  if (!thread) return end_stage(thread.error());
  threads_.push_back(*std::move(thread));
}

Status Pipeline::finish(const std::function<Status()>& stage) {
  end_stage(catch_resource_errors(stage));
  threads_.clear();
  if (error_) return *error_;
  return ok();
}

void Pipeline::end_stage(const Status& status) {
  if (status) return;
  {
    const std::lock_guard lock{mutex_};
    if (!error_) error_ = status.error();
  }
  cancel_();
}

}  // namespace weir
