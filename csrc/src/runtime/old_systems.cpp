// Lets wheels that were built on a new system run on older ones (manylinux_2_28).
// GCC 12's headers call two symbols that older C and C++ libraries lack; these private definitions
// are used instead of the libraries' own. Linked into the core and into both Python modules.
#include <new>

#if defined(__GLIBCXX__) && defined(__linux__)

namespace std {

// What operator new[] and std::allocator raise for sizes past the address space.
__attribute__((visibility("hidden"))) void __throw_bad_array_new_length() {
  throw bad_array_new_length();
}

}  // namespace std

// Zero says that there may be several threads, so shared_ptr always counts atomically.
extern "C" __attribute__((visibility("hidden"))) char __libc_single_threaded;
char __libc_single_threaded = 0;

#endif
