#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "audit/campaign/campaign.hpp"

namespace weir::audit {

struct EditedText {
  std::string text_before, text_after;
};
/// By path below the repository.
using EditedTexts = std::map<std::string, EditedText>;

/// What the workers of a campaign share.
struct CampaignContext {
  const CampaignRequest& request;
  const Campaign& campaign;
  const EditedTexts& texts;
  const std::filesystem::path& folder;  ///< campaign_folder()
  std::mutex& worktree_mutex;           ///< held while git makes a worktree
  /// Saves how long the campaign has run; called after each file, from any thread.
  const std::function<Status()>& save_duration;
};

/// Does what is left of one shard in a worktree and on a branch of its own; each file's state is saved when it is known. Thread-safe
/// for different shards. Errors: io, cancelled.
Status process_shard(const CampaignContext& context, Shard& shard);

/// A worktree on a branch, made from `base` where there is none; what an interruption left half done in it is undone. One at a
/// time: git fails now and then when it makes two at once. Errors: io; invalid_argument (the branch is there and not of this campaign).
Status prepare_worktree(const std::filesystem::path& tree, const std::string& branch, const std::string& base);

}  // namespace weir::audit
