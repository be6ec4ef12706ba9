// Starts the sensor for the rest of the job, and tells post.js that it did.
'use strict';

const fs = require('node:fs');
const { fail, input, nslookout, reportPath } = require('./inputs.js');

const binary = input('binary') || 'nslookout';
const options = input('options').split('\n').map((line) => line.trim()).filter((line) => line !== '');

if (/[\r\n]/.test(binary)) {
  fail('the input "binary" is one path, on one line');
} else if (nslookout(binary, ['ci', 'start', `--timeout=${input('timeout') || '60'}`, ...options])) {
  fs.appendFileSync(process.env.GITHUB_STATE, `binary=${binary}\n`);
  fs.appendFileSync(process.env.GITHUB_OUTPUT, `report=${reportPath()}\n`);
} else if (!process.exitCode) {
  fail('the sensor did not start; the lines above say why');
}
