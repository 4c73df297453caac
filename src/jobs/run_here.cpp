#include "jobs/run_here.hpp"

#include <utility>

namespace weir::jobs {

RunHere::RunHere(const std::vector<Item>& items, Task& task, const RecordRules& rules, IdentityNow identity_now,
                 RunObserver& observer, std::string device)
    : items_{items},
      task_{task},
      rules_{rules},
      identity_now_{std::move(identity_now)},
      observer_{observer},
      device_{std::move(device)} {}

Totals RunHere::run(std::stop_token stop) {
  totals_.items = items_.size();
  for (ItemNumber number = 0; number < items_.size() && !totals_.interrupted; ++number) {
    const Item& item = items_[number];
    const Decision decision = settle(item, rules_, identity_now_);
    observer_.decided(item, decision);
    const ItemEnd end = do_item(item, number, decision, stop);
    totals_.count(item, end);
    observer_.ended(item, end);
  }
  totals_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  return std::move(totals_);
}

ItemEnd RunHere::do_item(const Item& item, ItemNumber number, const Decision& decision, std::stop_token stop) {
  ItemEnd end = end_without_work(number, decision);
  if (decision.action != Action::work) return end;
  tell_progress(item, {});
  Order order{0, decision.replace, rules_.keep, rules_.folder, device_};
  Outcome outcome;
  const std::vector<std::string> variants = task_.variants();
  for (; order.variant < variants.size(); ++order.variant) {
    outcome = execute(
        task_, item, order, [&](const Progress& progress) { tell_progress(item, progress); }, stop);
    if (outcome.done() || outcome.product.error->code != Errc::over_budget) break;
  }
  if (order.variant > 0 && order.variant < variants.size()) end.variant = variants[order.variant];
  Product& product = outcome.product;
  end.refused = product.error && product.error->code == Errc::over_budget;
  end.status = !product.error                           ? ItemStatus::done
               : product.error->code == Errc::cancelled ? ItemStatus::interrupted
                                                        : ItemStatus::failed;
  end.redone = decision.replace && !product.error;
  if (!end.redone) end.why.clear();
  end.error = std::move(product.error);
  end.fault = product.fault;
  end.report = std::move(product.report);
  end.damaged = std::move(product.damaged);
  end.notes = std::move(product.notes);
  end.amount = product.amount;
  end.seconds = outcome.total_s;
  end.sync_s = outcome.sync_s;
  end.device = device_;
  return end;
}

void RunHere::tell_progress(const Item& item, const Progress& progress) const {
  RunProgress run;
  run.items = items_.size();
  run.amount = progress.amount;
  run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  if (progress.fraction > 0) run.left_s = run.seconds * (1 / progress.fraction - 1);
  run.devices.push_back({device_, shown_name(item), progress.fraction});
  observer_.progress(run);
}

}  // namespace weir::jobs
