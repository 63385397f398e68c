/** The mocks of AWS. MiniStack runs functions and enforces roles; moto knows more of EventBridge, S3 and SES. */
import { join } from 'node:path';
import { pythonEnvironment } from './python.ts';
import { answers, type Server } from './server.ts';

export const ministack: Server = {
  title: 'MiniStack 1.5.33',
  ports: 1,
  endpoint: ([port]) => `http://127.0.0.1:${port}`,
  async prepare(tools) {
    const python = join(await pythonEnvironment('ministack', tools), 'bin/python');
    return ({ ports: [port], folder }) => [
      {
        program: python,
        args: ['-m', 'ministack'],
        environment: {
          BIND_HOST: '127.0.0.1', // else all interfaces
          MINISTACK_HOST: '127.0.0.1',
          GATEWAY_PORT: String(port),
          TMPDIR: folder,
        },
      },
    ];
  },
  isHealthy: ([port]) => answers(`http://127.0.0.1:${port}/_ministack/health`),
};

export const moto: Server = {
  title: 'moto 5.2.5',
  ports: 1,
  endpoint: ([port]) => `http://127.0.0.1:${port}`,
  async prepare(tools) {
    const python = join(await pythonEnvironment('moto', tools), 'bin/python');
    return ({ ports: [port], folder }) => [
      {
        program: python,
        args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
        environment: { TMPDIR: folder },
      },
    ];
  },
  isHealthy: ([port]) => answers(`http://127.0.0.1:${port}/moto-api/`),
};
