// Compiles volk, the loader of Vulkan, which opens libvulkan at run time.
#define VOLK_IMPLEMENTATION
#include <volk.h>
