#include "media/vips_api.hpp"

#include <dlfcn.h>

#include "base/threads.hpp"

namespace weir::media {
namespace {

constexpr const char* kLibrary = "libvips.so.42";  // the ABI of libvips 8

struct Loaded {
  VipsApi api;
  std::string problem;
};

Loaded load() {
  Loaded made;
  void* library = ::dlopen(kLibrary, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) {
    made.problem = std::string{"needs libvips, which is not here ("} + ::dlerror() + "); install libvips42";
    return made;
  }
#define WEIR_VIPS_LOAD(name)                                                          \
  made.api.name = reinterpret_cast<decltype(made.api.name)>(::dlsym(library, #name)); \
  if (made.api.name == nullptr) made.problem = "needs libvips 8.13 or later: " #name " is missing from it";
  WEIR_VIPS_FUNCTIONS(WEIR_VIPS_LOAD)
#undef WEIR_VIPS_LOAD
  if (!made.problem.empty()) return made;
  if (made.api.vips_init("weir") != 0) {
    made.problem = "libvips does not start: " + made.api.take_error();
    return made;
  }
  made.api.vips_cache_set_max(0);    // every picture is seen once
  made.api.vips_concurrency_set(1);  // the cores belong to the network; this also keeps requests in order
  // What goes wrong comes back as an error; nothing is to be printed behind the caller's back.
  const auto silent = [](const char*, GLogLevelFlags, const char*, void*) {};
  constexpr auto kLevels =
      static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO | G_LOG_LEVEL_CRITICAL);
  for (const char* domain : {"VIPS", "GLib-GObject", "GLib"})
    made.api.g_log_set_handler(domain, kLevels, silent, nullptr);
  return made;
}

}  // namespace

Result<const VipsApi*> VipsApi::get() {
  static const Loaded loaded = load();  // once per process: libvips cannot be started twice
  if (!loaded.problem.empty()) return Error{Errc::unsupported, loaded.problem};
  return &loaded.api;
}

std::string VipsApi::take_error() const {
  char* raw = vips_error_buffer_copy();
  std::string text = raw != nullptr ? raw : "";
  g_free(raw);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;) text.replace(at, 1, "; ");
  if (text.find("creating thread") != std::string::npos) return thread_refused().what;  // glib: the reason alone
  return text.empty() ? "unknown error" : text;
}

}  // namespace weir::media
