// Bundles the functions before they are packaged, and says after a deployment what is on, what is off and what costs.
import { bundle } from './bundle.js';

export default class SluicePlugin {
  constructor({ service }, _options, { log }) {
    this.hooks = {
      'before:package:createDeploymentArtifacts': () => bundle(),
      'after:deploy:deploy': () => {
        for (const line of service.custom.summary) log.notice(line);
      },
    };
  }
}
