#pragma once

#include "cli/arguments.hpp"
#include "cli/report.hpp"
#include "jobs/run.hpp"
#include "observe/log.hpp"
#include "observe/progress.hpp"

namespace weir::cli {

/// Tells people on standard error and machines on standard output what happens to each picture of a run.
class BatchReporter final : public jobs::RunObserver {
 public:
  BatchReporter(const Arguments& args, observe::Log& log) : args_{args}, log_{log} {}
  void decided(const jobs::Item& item, const jobs::Decision& decision) override;
  void ended(const jobs::Item& item, const jobs::ItemEnd& end) override;
  void progress(const jobs::RunProgress& progress) override;
  void said(jobs::Loudness loudness, const std::string& text) override;
  /// At the end of a run.
  void summary(const jobs::Totals& totals);

  const std::optional<Error>& output_problem() const { return output_.problem(); }

 private:
  void tell(const jobs::Item& item, const jobs::ItemEnd& end);

  const Arguments& args_;
  observe::Log& log_;
  ResultOutput output_;
  std::chrono::steady_clock::time_point shown_ = std::chrono::steady_clock::now();
};

}  // namespace weir::cli
