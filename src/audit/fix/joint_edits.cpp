#include "audit/fix/joint_edits.hpp"

#include <span>
#include <utility>

#include "audit/fix/apply.hpp"

namespace weir::audit {
namespace {

/// Collects the edits of one module for apply_together().
class EditJoiner {
 public:
  explicit EditJoiner(const Module& module) : module_{module} {}

  /// Applies the edits of findings on top of the edits so far. If the text does not pass apply_to_file(), adds the
  /// first half of the findings and then the second half, so that one bad edit among many costs few attempts.
  void add(std::span<const Finding* const> findings) {
    if (findings.empty() || apply_all(findings)) return;
    if (findings.size() == 1) return check_alone(*findings.front());
    const std::size_t half = findings.size() / 2;
    add(findings.first(half));
    add(findings.subspan(half));
  }

  JointEdits take() { return std::move(joint_); }

 private:
  /// Applies the edits that do not conflict with earlier ones. Returns false and changes nothing if the text does not
  /// pass apply_to_file().
  bool apply_all(std::span<const Finding* const> findings) {
    EditSet edits = edits_;
    std::vector<const Finding*> added;
    for (const Finding* finding : findings)
      if (edits.add(finding->edits)) added.push_back(finding);
    if (added.empty()) return true;
    auto after = apply_to_file(module_, edits);
    if (!after) return false;
    edits_ = std::move(edits);
    joint_.edited_text = *std::move(after);
    joint_.applied.insert(joint_.applied.end(), added.begin(), added.end());
    return true;
  }

  /// Adds the finding to the rejected ones if its edits fail apply_to_file() even alone.
  void check_alone(const Finding& finding) {
    EditSet edits;
    edits.add(finding.edits);
    if (const auto after = apply_to_file(module_, edits); !after)
      joint_.rejected.push_back({&finding, after.error().what});
  }

  const Module& module_;
  EditSet edits_{};
  JointEdits joint_{};
};

}  // namespace

JointEdits apply_together(const Module& module, const std::vector<const Finding*>& findings) {
  EditJoiner joiner{module};
  joiner.add(findings);
  return joiner.take();
}

}  // namespace weir::audit
