#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "audit/campaign/campaign.hpp"
#include "audit/fix/header.hpp"
#include "base/text.hpp"

// The report of a campaign, and the two files for developers: a page with rules and a new program.

namespace weir::audit {
namespace {

constexpr std::size_t kCommitDigits = 12;  // shown of the hash of a commit

/// Returns the slowdown of a fixed file in percent; empty if it was not measured.
std::string slowdown_text(const CampaignFile& file, int pairs) {
  if (pairs == 0 || file.state != "fixed") return "";
  return fmt::format("{:+.1f} % (noise {:.1f} %, {} pairs)", 100 * file.slowdown, 100 * file.slowdown_spread, pairs);
}

std::string duration_text(const Campaign& campaign, const Verdict& verdict) {
  return fmt::format("{:.1f} s of wall time; the durations of the files add up to {:.1f} s", campaign.wall_seconds,
                     verdict.sequential_seconds);
}

std::string markdown(const Campaign& campaign, const Verdict& verdict) {
  std::string text =
      fmt::format("# weir audit: campaign\n\nVerdict: **{}**. Base {} of {}. {}.\n\n", verdict.text(),
                  campaign.base.substr(0, kCommitDigits), campaign.branch, duration_text(campaign, verdict));
  text += "| file | branch | rules | result | commit | s | time |\n|---|---|---|---|---|---|---|\n";
  for (const Shard& shard : campaign.shards) {
    for (const CampaignFile& file : shard.files)
      text += fmt::format("| {} | {} | {} | {}{} | {} | {:.2f} | {} |\n", escape_markup(printable(file.path)),
                          branch_name(shard), fmt::join(file.rules, " "), file.state,
                          file.reason.empty() ? "" : ": " + escape_markup(printable(file.reason)),
                          file.commit.substr(0, kCommitDigits), file.seconds, slowdown_text(file, campaign.pair_count));
  }
  for (const LeftOutFile& file : campaign.left_out)
    text += fmt::format("\nLeft out of the plan: {}: {}\n", escape_markup(printable(file.path)),
                        escape_markup(printable(file.reason)));
  return text;
}

std::string html(const Campaign& campaign, const Verdict& verdict) {
  std::string rows;
  for (const Shard& shard : campaign.shards) {
    for (const CampaignFile& file : shard.files)
      rows += fmt::format(
          "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.2f}</td><td>{}</td></"
          "tr>\n",
          escape_markup(printable(file.path)), branch_name(shard), fmt::join(file.rules, " "), file.state,
          escape_markup(printable(file.reason)), file.commit.substr(0, kCommitDigits), file.seconds,
          slowdown_text(file, campaign.pair_count));
  }
  std::string left_out;
  for (const LeftOutFile& file : campaign.left_out)
    left_out += fmt::format("<p>Left out of the plan: {}: {}</p>\n", escape_markup(printable(file.path)),
                            escape_markup(printable(file.reason)));
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>weir audit: campaign</title>\n"
      "<style>body{{font:16px sans-serif;margin:2em}}td,th{{padding:.3em .8em;text-align:left;border-bottom:1px solid "
      "#ccc}}</style></head>\n"
      "<body><h1>weir audit: campaign</h1>\n<p><b>{}</b></p><p>Base {} of {}. {}.</p>\n<table>\n"
      "<tr><th>file</th><th>branch</th><th>rules</th><th>result</th><th>why</th><th>commit</th><th>s</th><th>time</"
      "th></tr>\n{}</table>{}</body></html>\n",
      escape_markup(printable(verdict.text())), campaign.base.substr(0, kCommitDigits),
      escape_markup(printable(campaign.branch)), duration_text(campaign, verdict), rows, left_out);
}

std::string junit(const Campaign& campaign, const Verdict& verdict) {
  std::string cases;
  for (const Shard& shard : campaign.shards) {
    for (const CampaignFile& file : shard.files) {
      cases += fmt::format("  <testcase classname=\"weir.{}\" name=\"{}\" time=\"{:.3f}\"", shard.name,
                           escape_markup(printable(file.path)), file.seconds);
      if (file.state == "fixed")
        cases += "/>\n";
      else if (file.state == "planned")
        cases += "><skipped message=\"not done yet\"/></testcase>\n";
      else
        cases += fmt::format("><failure message=\"{}\"/></testcase>\n", escape_markup(printable(file.reason)));
    }
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"weir audit campaign\" tests=\"{}\" "
      "failures=\"{}\" skipped=\"{}\">\n{}</testsuite>\n",
      verdict.planned + verdict.fixed + verdict.put_back, verdict.put_back, verdict.planned, cases);
}

}  // namespace

std::string Verdict::text() const {
  const std::size_t all = planned + fixed + put_back;
  if (is_complete()) return fmt::format("complete: {} of {} files fixed", fixed, all);
  return fmt::format("incomplete: {} of {} files fixed, {} put back, {} not done", fixed, all, put_back, planned);
}

Verdict compute_verdict(const Campaign& campaign) {
  Verdict verdict;
  for (const Shard& shard : campaign.shards) {
    for (const CampaignFile& file : shard.files) {
      if (file.state == "fixed")
        ++verdict.fixed;
      else if (file.state == "planned")
        ++verdict.planned;
      else
        ++verdict.put_back;
      verdict.sequential_seconds += file.seconds;
    }
  }
  return verdict;
}

std::string campaign_report(const Campaign& campaign, std::string_view format) {
  const Verdict verdict = compute_verdict(campaign);
  if (format == "html") return html(campaign, verdict);
  return format == "junit" ? junit(campaign, verdict) : markdown(campaign, verdict);
}

std::string gpu_selection_page(const Policy& policy) {
  const std::string mask = policy.mask(!policy.mask_by_uuid);
  std::string text = fmt::format("# How this project selects its GPU\n\nThe card: {} (role {}).\n\n",
                                 policy.device.empty() ? "none is named in weir.toml" : policy.device, policy.role);
  text +=
      "1. One card per process. The mask is set before the first GPU library is imported, by the program itself or by "
      "the command that starts it.\n"
      "2. A mask that is already set is kept: a scheduler or a user has set it.\n"
      "3. An index mask comes with CUDA_DEVICE_ORDER=PCI_BUS_ID; a UUID needs none.\n"
      "4. Within the program the card is always `cuda:0`, because a mask numbers the visible cards from 0.\n"
      "5. Programs set masks; libraries set none.\n"
      "6. Which card a program uses is verified by UUID or PCI address, never by a number.\n";
  if (!mask.empty())
    text +=
        fmt::format("\nThe start of a program:\n\n```python\n{}```\n", header_text(policy, !policy.mask_by_uuid, "\n"));
  return text + "\n`weir audit` checks these rules; docs/rules explains each.\n";
}

std::string template_file(const Policy& policy) {
  return "#!/usr/bin/env python3\n\"\"\"What this program does.\"\"\"\n" +
         header_text(policy, !policy.mask_by_uuid, "\n") +
         "import torch\n\n\ndef main():\n    device = torch.device(\"cuda:0\")\n    "
         "print(torch.cuda.get_device_properties(device))\n\n\n"
         "if __name__ == \"__main__\":\n    main()\n";
}

}  // namespace weir::audit
