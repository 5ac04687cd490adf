// What this thread will read soon, for the kernels that can ask for it while they compute.
#pragma once

namespace fusegrad {

struct PrefetchQueue;

// Null, or what the owner of the queue has set. The queue must outlive its use.
PrefetchQueue* thread_prefetch();
void set_thread_prefetch(PrefetchQueue* queue);

}  // namespace fusegrad
