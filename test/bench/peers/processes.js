// What the servers share: how many processes there are of each, and what each may take of the database.
import cluster from 'node:cluster';

const processes = Number(process.env.PROCESSES);

// Eight connections in all, as Marquee has, and kept while nothing is asked.
export const pool = { max: 8 / processes, idleTimeoutMillis: 0 };

/** Listens on PORT, in one process or in several that share it. */
export async function run(listen) {
  if (processes > 1 && cluster.isPrimary) {
    for (let i = 0; i < processes; i++) cluster.fork();
    return;
  }
  await listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
}
