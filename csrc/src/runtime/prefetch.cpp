// One pointer a thread.
#include "runtime/prefetch.h"

namespace fusegrad {
namespace {

thread_local PrefetchQueue* queue_of_thread = nullptr;

}  // namespace

PrefetchQueue* thread_prefetch() { return queue_of_thread; }

void set_thread_prefetch(PrefetchQueue* queue) { queue_of_thread = queue; }

}  // namespace fusegrad
