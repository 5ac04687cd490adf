// Lets wheels that were built on a new system run on older ones (manylinux_2_28).
// GCC 12's headers call symbols that older C and C++ libraries lack; these private definitions are
// used instead of the libraries' own. Linked into the core and into both Python modules.
#include <new>

#if defined(__GLIBCXX__) && defined(__linux__)

namespace std {

// What operator new[] and std::allocator raise for sizes past the address space.
__attribute__((visibility("hidden"))) void __throw_bad_array_new_length() {
  throw bad_array_new_length();
}

}  // namespace std

extern "C" {

// Zero says that there may be several threads, so shared_ptr always counts atomically.
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;

// exception_ptr's copy constructor and destructor, which every libstdc++ exports: the one adds a
// reference to the exception, the other drops one.
void fusegrad_copy_exception_ptr(void* to, const void* from) noexcept
    __asm__("_ZNSt15__exception_ptr13exception_ptrC1ERKS0_");
void fusegrad_destroy_exception_ptr(void* pointer) noexcept
    __asm__("_ZNSt15__exception_ptr13exception_ptrD1Ev");

// exception_ptr::_M_addref() and ::_M_release(), by their linker names: newer than the two above,
// and asked for no more than they do.
__attribute__((visibility("hidden"))) void fusegrad_add_exception_reference(void* self) noexcept
    __asm__("_ZNSt15__exception_ptr13exception_ptr9_M_addrefEv");
__attribute__((visibility("hidden"))) void fusegrad_drop_exception_reference(void* self) noexcept
    __asm__("_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv");

void fusegrad_add_exception_reference(void* self) noexcept {
  alignas(void*) char copy[sizeof(void*)];  // never destroyed: its reference is the one to add
  fusegrad_copy_exception_ptr(copy, self);
}

void fusegrad_drop_exception_reference(void* self) noexcept {
  fusegrad_destroy_exception_ptr(self);
}

}  // extern "C"

#endif
