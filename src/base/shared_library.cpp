#include "base/shared_library.hpp"

#include <dlfcn.h>

#include "base/text.hpp"

namespace weir {

Result<SharedLibrary> SharedLibrary::open(const std::string& name, Binding binding) {
  void* handle = ::dlopen(name.c_str(), (binding == Binding::now ? RTLD_NOW : RTLD_LAZY) | RTLD_LOCAL);
  if (handle != nullptr) return SharedLibrary{handle};
  const char* reason = ::dlerror();
  return Error{Errc::unsupported, one_line(reason == nullptr ? name + " cannot be loaded" : reason)};
}

void* SharedLibrary::find_symbol(const char* symbol) const { return ::dlsym(handle_, symbol); }

}  // namespace weir
