// Ends the sensor, writes the summary, and fails the job where that was asked for.
'use strict';

const { fail, input, nslookout, reportPath } = require('./inputs.js');

const binary = process.env.STATE_binary;

if (binary) {
  // A sensor that had ended by itself is no reason to keep the summary back: it says so.
  const stopped = nslookout(binary, ['ci', 'stop']);
  const words = ['ci', 'summary', `--fail-on=${input('fail-on') || 'none'}`, `--html=${reportPath()}`];
  if (input('annotations') !== 'false') words.push('--annotations=github');
  if (input('sarif')) words.push(`--sarif=${input('sarif')}`);
  const summed = nslookout(binary, words);
  if (!process.exitCode && !(stopped && summed)) fail('see the lines above');
}
