#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "audit/campaign/campaign.hpp"
#include "audit/run_program.hpp"
#include "base/atomic_file.hpp"
#include "base/read_stream.hpp"
#include "base/text.hpp"

// The stored state of a campaign, and the calls of git that its parts share.

namespace weir::audit {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Json file_json(const CampaignFile& file) {
  return {{"path", file.path},       {"rules", file.rules},           {"state", file.state},
          {"reason", file.reason},   {"commit", file.commit},         {"seconds", file.seconds},
          {"slower", file.slowdown}, {"spread", file.slowdown_spread}};
}

CampaignFile file_from(const Json& json) {
  CampaignFile file;
  json.at("path").get_to(file.path);
  json.at("rules").get_to(file.rules);
  json.at("state").get_to(file.state);
  if (file.state == "mended") file.state = "fixed";  // earlier versions stored this name
  json.at("reason").get_to(file.reason);
  json.at("commit").get_to(file.commit);
  json.at("seconds").get_to(file.seconds);
  json.at("slower").get_to(file.slowdown);
  json.at("spread").get_to(file.slowdown_spread);
  return file;
}

Json shard_json(const Shard& shard) {
  Json files = Json::array();
  for (const CampaignFile& file : shard.files) files.push_back(file_json(file));
  return {{"name", shard.name}, {"files", files}};
}

Shard shard_from(const Json& json) {
  Shard shard{.name = json.at("name").get<std::string>(), .files = {}};
  for (const Json& file : json.at("files")) shard.files.push_back(file_from(file));
  return shard;
}

Status write_json(const fs::path& path, const Json& json) {
  return write_file(path, json.dump(1, ' ', false, Json::error_handler_t::replace) + '\n');
}

Result<Json> read_json(const fs::path& path) {
  std::ifstream file{path};
  if (!file) return Error{Errc::invalid_argument, "there is no campaign here; 'weir audit plan PATH...' makes one"};
  const std::string text = read_stream(file).value_or(std::string{});
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return Error{Errc::corrupt, fmt::format("{}: is no JSON", printable(path.native()))};
  return json;
}

}  // namespace

std::string first_line(std::string_view text) { return one_line(text.substr(0, text.find('\n'))); }

namespace {

/// Returns the first line of git's error message, without the output before it.
std::string error_message_of(std::string_view output) {
  for (const std::string_view start : {"fatal: ", "error: "}) {
    const std::size_t at = output.find(start);
    if (at != std::string_view::npos) return first_line(output.substr(at + start.size()));
  }
  return first_line(output);
}

}  // namespace

Result<std::string> run_git(const std::vector<std::string>& arguments, const fs::path& folder) {
  std::vector<std::string> command{"git", "-c", "gc.auto=0", "-c", "core.quotePath=false"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const ProgramRequest request{.arguments = command, .folder = folder, .time_limit = std::chrono::seconds{300}};
  auto result = run_program(request);
  // On a machine with high load a start may fail (126 and 127 are the exit statuses for this), so it is tried once
  // more.
  if (!result || result->exit_status == 126 || result->exit_status == 127) result = run_program(request);
  if (!result) return result.error();
  if (result->exit_status != 0)
    return Error{Errc::io, fmt::format("git {}: {}", arguments.front(), printable(error_message_of(result->output)))};
  return result->output;
}

std::string branch_name(const Shard& shard) { return "weir/" + shard.name; }

namespace {

/// Returns the key in git's configuration that marks the branch.
std::string config_key(const std::string& branch) { return "branch." + branch + ".weir-campaign"; }

}  // namespace

bool is_campaign_branch(const std::string& branch, const std::string& base) {
  const auto noted = run_git({"config", "--local", "--get", config_key(branch)});
  return noted && first_line(*noted) == base;
}

Status mark_campaign_branch(const std::string& branch, const std::string& base) {
  const auto noted = run_git({"config", "--local", config_key(branch), base});
  return noted ? ok() : Status{noted.error()};
}

Result<fs::path> campaign_folder() {
  const auto common = run_git({"rev-parse", "--git-common-dir"});
  if (!common) return Error{Errc::invalid_argument, "this is no git repository: a campaign keeps its work in branches"};
  return fs::absolute(first_line(*common)) / "weir-audit";
}

Status save_plan(const fs::path& folder, const Campaign& campaign) {
  Json names = Json::array();
  for (const Shard& shard : campaign.shards) names.push_back(shard.name);
  Json left_out = Json::array();
  for (const LeftOutFile& file : campaign.left_out) left_out.push_back({{"path", file.path}, {"reason", file.reason}});
  return write_json(folder / "plan.json", {{"version", 1},
                                           {"base", campaign.base},
                                           {"branch", campaign.branch},
                                           {"operands", campaign.operands},
                                           {"select", campaign.select},
                                           {"ignore", campaign.ignore},
                                           {"policy", campaign.policy_file},
                                           {"unsafe", campaign.unsafe},
                                           {"check", campaign.check_command},
                                           {"tests", campaign.test_command},
                                           {"pairs", campaign.pair_count},
                                           {"wall_seconds", campaign.wall_seconds},
                                           {"shards", names},
                                           {"left_out", left_out}});
}

Status save_shard(const fs::path& folder, const Shard& shard) {
  return write_json(folder / (shard.name + ".json"), shard_json(shard));
}

Result<Campaign> load_campaign() {
  const auto folder = campaign_folder();
  if (!folder) return folder.error();
  const auto plan = read_json(*folder / "plan.json");
  if (!plan) return plan.error();
  Campaign campaign;
  try {
    plan->at("base").get_to(campaign.base);
    plan->at("branch").get_to(campaign.branch);
    plan->at("operands").get_to(campaign.operands);
    plan->at("select").get_to(campaign.select);
    plan->at("ignore").get_to(campaign.ignore);
    plan->at("policy").get_to(campaign.policy_file);
    plan->at("unsafe").get_to(campaign.unsafe);
    plan->at("check").get_to(campaign.check_command);
    plan->at("tests").get_to(campaign.test_command);
    plan->at("pairs").get_to(campaign.pair_count);
    plan->at("wall_seconds").get_to(campaign.wall_seconds);
    for (const Json& file : plan->value("left_out", Json::array()))
      campaign.left_out.push_back({file.at("path").get<std::string>(), file.at("reason").get<std::string>()});
    for (const Json& name : plan->at("shards")) {
      const auto shard = read_json(*folder / (name.get<std::string>() + ".json"));
      if (!shard) return shard.error();
      campaign.shards.push_back(shard_from(*shard));
    }
  } catch (const Json::exception& wrong) {
    return Error{Errc::corrupt, fmt::format("{}: {}", printable(folder->native()), printable(wrong.what()))};
  }
  return campaign;
}

}  // namespace weir::audit
