// The loader of Vulkan, compiled here once: it opens libvulkan while the program runs.
#define VOLK_IMPLEMENTATION
#include <volk.h>
