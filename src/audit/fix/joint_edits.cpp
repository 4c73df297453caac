#include "audit/fix/joint_edits.hpp"

#include <span>
#include <utility>

#include "audit/fix/apply.hpp"

namespace weir::audit {
namespace {

class Joining {
 public:
  explicit Joining(const Module& module) : module_{module} {}

  /// Halves what does not pass together, so that one bad edit among many costs few attempts.
  void add(std::span<const Finding* const> findings) {
    if (findings.empty() || passes(findings)) return;
    if (findings.size() == 1) return try_alone(*findings.front());
    const std::size_t half = findings.size() / 2;
    add(findings.first(half));
    add(findings.subspan(half));
  }

  JointEdits take() { return std::move(joint_); }

 private:
  bool passes(std::span<const Finding* const> findings) {
    EditSet edits = edits_;
    std::vector<const Finding*> taken;
    for (const Finding* finding : findings)
      if (edits.add(finding->edits)) taken.push_back(finding);
    if (taken.empty()) return true;
    auto after = mended_file(module_, edits);
    if (!after) return false;
    edits_ = std::move(edits);
    joint_.after = *std::move(after);
    joint_.done.insert(joint_.done.end(), taken.begin(), taken.end());
    return true;
  }

  void try_alone(const Finding& finding) {
    EditSet edits;
    edits.add(finding.edits);
    if (const auto after = mended_file(module_, edits); !after)
      joint_.refused.push_back({&finding, after.error().what});
  }

  const Module& module_;
  EditSet edits_{};
  JointEdits joint_{};
};

}  // namespace

JointEdits edited_together(const Module& module, const std::vector<const Finding*>& findings) {
  Joining joining{module};
  joining.add(findings);
  return joining.take();
}

}  // namespace weir::audit
