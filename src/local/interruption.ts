/** When to stop: on a signal, or when whoever started us is gone, since else everything below would stay behind. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  // Started by bin/sluice.js on another Node: the channel closes when it ends, also when it was killed.
  process.channel?.unref();
  process.on('disconnect', stop);
  // Started by npm; without it we are meant to outlive a shell.
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event !== undefined) {
    setInterval(() => process.ppid !== parent && stop(), 200).unref();
  }
  return controller.signal;
}
