import { table, type Random } from './random.ts';

/*
 * Names as they stand on a staff list: surnames by how common they are (with what is common in Hunan: 谭, 彭, 欧阳, 易 …),
 * given names by decade of birth and gender. Frequencies are plausible, not a census.
 */

export interface PersonName {
  readonly family: string;
  readonly given: string;
}

const SURNAMES = table(`
  王*42 李*50 张*38 刘*50 陈*46 杨*26 黄*24 赵*10 周*32 吴*18 徐*10 孙*7 胡*16 朱*10 高*5 林*5 何*15 郭*11 马*4 罗*16 梁*5 宋*5
  郑*4 谢*11 韩*3 唐*14 冯*4 于*2 董*3 萧 肖*14 程*4 曹*8 袁*7 邓*12 许*5 傅*2 沈*3 曾*12 彭*20 吕*3 苏*3 卢*3 蒋*8 蔡*5 贾*2
  丁*4 魏*3 薛*2 叶*4 阎 余*4 潘*3 杜*3 戴*6 夏*5 钟*5 汪*3 田*6 任*3 姜*3 范*4 方*4 石*5 姚*5 谭*14 廖*7 邹*5 熊*4 金*2 陆*2
  郝 孔*2 白*2 崔 康*2 毛*4 邱*3 秦*3 江*3 史 顾 侯*2 邵*2 孟 龙*7 万*3 段*3 雷*4 钱 汤*5 尹*5 黎*4 易*8 常 武 乔 贺*7 赖*2 龚*4
  文*6 柳*3 向*6 章*2 左*3 阳*3 粟 瞿*2 滕*2 覃*3 颜*2 聂*2 喻*3 宁*2 单 佘 仇 区 冼 庹 禹 言 晏 匡*2 卜 甘*2 游*2 凌*2
`);
const COMPOUND_SURNAMES = table('欧阳*30 上官*3 司徒*2 诸葛*2 司马*2 皇甫*2 尉迟 夏侯');

interface Style {
  /** Whole given names, the commonest of their time. */
  readonly whole: readonly string[];
  /** First and second character of the others. */
  readonly first: readonly string[];
  readonly second: readonly string[];
}

interface Era {
  readonly before: number;
  /** Share of given names of one character. */
  readonly single: number;
  readonly men: Style & { readonly one: readonly string[] };
  readonly women: Style & { readonly one: readonly string[] };
}

const ERAS: readonly Era[] = [
  {
    before: 1973,
    single: 0.16,
    men: {
      whole: table(
        '建国*4 建军*5 建平*5 建华*5 志强*5 国强*4 新华*3 卫东*4 卫国*2 爱民*2 国平*3 正华*2 光明*2 文革 跃进 援朝 解放 立新*2 红卫 永红 伯平 德胜',
      ),
      one: table('军*4 勇*3 平*4 强*3 明*3 辉*2 斌*2 刚*2 伟*2 林 毅'),
      first: table(
        '建*4 国*4 志*3 新*2 正*2 文*3 光*2 德*2 立*2 永*2 明*2 水 运 金 福 长 友 克 应 定 绍 松 桂 迪 石 放 仁 佑',
      ),
      second: table(
        '华*4 平*4 明*4 军*3 强*3 文*2 林*3 生*3 辉*2 武*2 清*2 良*2 成*2 祥 才 初 云 球 泉 佳 贤 南 湘 安 保 其',
      ),
    },
    women: {
      whole: table(
        '建华*3 秀英*3 桂英*3 玉兰*3 春兰*2 秋香 爱华*4 爱平*2 建平*2 丽华*4 玉珍*2 桂香 国英 小红*3 小平*3 菊香 冬梅*3 腊梅 月娥 满秀 雪梅*2 立群',
      ),
      one: table('红*4 英*3 萍*3 芳*3 梅*2 霞*2 敏*2 玲*2 兰 群 琼'),
      first: table(
        '玉*3 桂*3 秀*3 春*3 爱*3 丽*3 小*3 建*2 月*2 雪*2 美*2 冬 金 淑*2 菊 凤 艳 惠 正 新 友 国 细 满',
      ),
      second: table(
        '英*3 兰*3 华*4 珍*3 梅*3 香*2 芳*3 娥*2 云*2 莲*2 霞*2 萍*3 红*3 玲*2 秀 辉 连 容 姣 元 群',
      ),
    },
  },
  {
    before: 1983,
    single: 0.28,
    men: {
      whole: table(
        '志强*4 建军*3 建华*3 立军*3 小平*2 海波*2 文辉*2 志勇*4 学军*3 国辉*2 永强*2 向阳*3 红军 卫平 新文 朝阳 文武 志刚*4 小兵*2 跃辉',
      ),
      one: table(
        '勇*7 军*6 伟*6 辉*5 斌*5 强*5 波*4 峰*4 涛*4 刚*3 华*3 毅*3 剑*3 亮*3 平*2 杰*2 彬*2 宏 威 宇 旭 武',
      ),
      first: table(
        '志*4 建*3 文*3 立*3 国*2 小*3 海*3 永*2 学*3 新*2 正*2 向 朝 红 跃 光 明 世 清 湘 雄 孝 灿 铁 再 先',
      ),
      second: table(
        '军*3 华*4 辉*4 强*3 平*3 勇*3 明*3 文*2 武*2 兵*2 波*2 林*2 良*2 雄*2 刚*2 红 球 初 锋 云 阳 前 清',
      ),
    },
    women: {
      whole: table(
        '丽华*3 海燕*5 小燕*3 春梅*3 红梅*3 红霞*3 艳红*3 艳萍*3 小玲*3 丽娟*4 晓红*3 爱民 雪飞*2 志红*2 建红*2 冬梅*3 月红 海英*2 香莲 立红*2 翠娥',
      ),
      one: table(
        '艳*6 丽*6 红*5 芳*6 霞*5 敏*5 燕*4 玲*4 娟*4 静*3 萍*3 琼*3 英*2 辉*2 慧*2 蓉*2 莉*3 梅*2 利 云 洁 群',
      ),
      first: table(
        '艳*4 丽*4 小*4 红*3 海*3 春*3 晓*3 雪*2 爱*2 月*2 玉*2 志*2 建*2 金*2 翠 冬 秋 凤 桂 喜 湘*2 美 赛 立 新',
      ),
      second: table(
        '红*3 华*3 萍*4 芳*3 玲*4 梅*3 娟*4 燕*3 霞*3 英*3 辉*2 兰*2 云*2 娥*2 平*2 莲 君 群 姣*2 琴*2 飞 元 香',
      ),
    },
  },
  {
    before: 1993,
    single: 0.33,
    men: {
      whole: table(
        '志鹏*3 海波*2 文杰*2 志伟*4 俊杰*2 小龙*2 金龙 文斌*2 建波*2 旭东*2 志远*2 宇翔 亚军*2 立志 佳 凯旋 伟明*2 国庆*2 鹏程 腾飞 海军',
      ),
      one: table(
        '伟*5 磊*6 鹏*7 涛*5 超*6 杰*5 波*4 斌*4 勇*3 亮*4 凯*4 帅*3 俊*3 浩*3 威*3 宇*3 辉*3 龙*2 翔*2 彬*2 峰*3 强*2 毅*2 乐 琦 喆 翀 犇',
      ),
      first: table(
        '志*4 文*3 海*2 俊*3 小*2 建*2 旭*2 晓*3 立*2 国*2 泽 子 天 宇 佳*2 金 振 启 世 湘 正 家 亚 伟 科 智 堃',
      ),
      second: table(
        '鹏*4 伟*3 杰*4 波*3 斌*3 龙*2 辉*3 明*3 军*2 峰*3 飞*2 华*2 林*2 东*2 勇*2 文 平 涛*2 超 兵 豪 翔 宇 远 成',
      ),
    },
    women: {
      whole: table(
        '丽娟*3 婷婷*5 丹丹*4 思思*3 莎莎*2 媛媛*3 小芳*2 海燕*3 晓燕*3 雅琴*2 佳佳*2 雪梅*2 艳芳*2 文静*4 丽莎*2 晶晶*3 慧敏*3 倩倩*2 霞辉 露露',
      ),
      one: table(
        '婷*6 静*6 丹*5 娟*5 芳*4 艳*4 娜*4 倩*5 颖*4 莉*3 敏*4 慧*4 璐*3 洁*3 琴*3 佳*3 蓉*3 瑶*3 雯*3 妮*2 晶*2 玲*2 琼*2 霞*2 玥 彧 茜*2',
      ),
      first: table(
        '丽*3 雅*3 晓*4 小*3 思*3 佳*4 雪*3 海*2 文*2 艳*3 慧*2 玉*2 婷 美*2 梦*2 春 湘*2 丹 莎 珊 倩 秋 亚*2 志 巧 宇',
      ),
      second: table(
        '婷*3 娟*3 芳*3 玲*3 琴*3 静*2 燕*2 萍*2 敏*3 娜*2 丽*2 霞*2 红*2 英*2 花 莲 妮*2 兰 君*2 云*2 琳*3 颖*2 琪 慧 华',
      ),
    },
  },
  {
    before: 9999,
    single: 0.2,
    men: {
      whole: table(
        '俊杰*4 子豪*3 志豪*3 文杰*3 宇轩*2 浩然*3 子健*2 嘉豪*2 天宇*2 佳豪*2 俊豪*2 思源*3 泽宇*3 文博*3 家豪*2 博文*3 宇航*4 鑫磊 永康 睿哲',
      ),
      one: table(
        '浩*4 杰*4 鑫*3 宇*4 翔*3 凯*4 帆*3 鹏*3 涛*3 睿*3 毅*2 航*3 磊*2 豪*2 瑞*2 喆 翀 犇 昊*3 彬*2',
      ),
      first: table(
        '子*4 俊*3 宇*4 浩*3 文*3 嘉*3 志*2 泽*4 天*2 思*3 家*2 博*2 佳*2 睿*2 铭 奕 梓 鸿 智 振 旭 明 湘 彧 堃 逸',
      ),
      second: table(
        '杰*4 豪*4 轩*3 宇*4 然*3 航*3 涛*2 鑫*2 鹏*2 文*2 博*2 源*3 阳*3 辉*2 林*2 翔*2 哲*2 晨*2 凡 帆*2 恒 伟 峰 洋 楠',
      ),
    },
    women: {
      whole: table(
        '雨婷*4 思琪*4 欣怡*4 佳怡*4 诗琪*3 梦婷*3 思思*2 雅婷*4 慧敏*2 嘉欣*3 欣悦*2 紫薇*2 文静*2 雨欣*3 梦洁*2 思雨*3 子涵*2 佳慧*3 心怡*3 婉婷*2',
      ),
      one: table(
        '婷*4 颖*4 倩*3 瑶*4 琪*3 欣*3 雯*3 璐*3 怡*3 慧*3 洁*3 琳*3 玥*2 茜*2 莹*3 蕾*2 妍*2 静*3 宁 彧',
      ),
      first: table(
        '雨*4 思*5 欣*4 佳*5 诗*3 梦*4 雅*4 嘉*3 子*3 慧*2 文*2 紫*2 心*2 晓*2 婉*2 语 若 芷*2 静*2 玉 依 湘 可 奕 玥 钰*2',
      ),
      second: table(
        '婷*4 琪*4 怡*5 欣*4 洁*3 雯*3 颖*3 瑶*3 涵*3 慧*2 琳*3 悦*2 雨*2 敏*2 萱*2 妮*2 茹*2 玲*2 蓉*2 莹*2 薇*2 宁*2 然 彤*2 玥',
      ),
    },
  },
];

/** Names with a dot: the person's own name, then the father's (Uygur, Kazak), or the family's and one's own (Yi). */
const DOTTED = {
  men: '阿卜杜热西提 艾尼瓦尔 买买提艾力 吐尔逊江 阿迪力江 依力哈木 麦麦提敏 努尔艾合麦提 叶尔波力 木拉提别克'.split(
    ' ',
  ),
  women:
    '古丽巴哈尔 阿依古丽 热依汗古丽 迪丽努尔 帕提古丽 米热古丽 祖丽胡玛尔 麦尔哈巴 阿依努尔 巴哈尔古丽'.split(
      ' ',
    ),
  fathers:
    '买买提 阿卜杜克热木 吾买尔 艾合买提 依明 吐尔地 阿卜杜热合曼 司马义 哈再孜 托合提 努尔麦麦提 玉素甫'.split(
      ' ',
    ),
  families: '吉克 阿苏 沙马 阿尔 俄木'.split(' '),
  own: '拉铁 伍支莫 尔布 阿依 木果 石一'.split(' '),
};
/** Tibetan names have no family name; two words of two characters. */
const TIBETAN = {
  first: '次仁 扎西 旦增 格桑 洛桑 边巴 普布 索朗 德吉 达瓦 尼玛 白玛'.split(' '),
  men: '多吉 顿珠 平措 罗布 旺堆 次旦 加措'.split(' '),
  women: '卓玛 央金 拉姆 卓嘎 曲珍 央宗 旺姆'.split(' '),
};

/** Shares of dotted and of Tibetan names where they are not rare, by the first two digits of the division code. */
const DOTTED_SHARE: Readonly<Record<string, number>> = { '65': 0.5, '51': 0.03, '53': 0.02 };
const TIBETAN_SHARE: Readonly<Record<string, number>> = { '54': 0.85, '63': 0.15, '51': 0.03 };

/** A letter of CJK Extension B (four bytes of UTF-8, two UTF-16 units): every province has a few, and old systems lose them. */
const EXTENSION_B = '\u{24A7D}';

export function drawName(
  random: Random,
  who: { female: boolean; bornIn: number; provinceCode: string },
  { extensionB = false }: { extensionB?: boolean } = {},
): PersonName {
  const province = who.provinceCode.slice(0, 2);
  const drawn = random.fraction();
  const dotted = DOTTED_SHARE[province] ?? 0.003;
  if (!extensionB && drawn < dotted) return dottedName(random, who.female, province);
  if (!extensionB && drawn < dotted + (TIBETAN_SHARE[province] ?? 0.001)) {
    return {
      family: random.pick(TIBETAN.first),
      given: random.pick(who.female ? TIBETAN.women : TIBETAN.men),
    };
  }
  const family = random.pick(random.chance(0.008) ? COMPOUND_SURNAMES : SURNAMES);
  const era = ERAS.find((each) => who.bornIn < each.before) ?? ERAS[0]!;
  const style = who.female ? era.women : era.men;
  if (extensionB) return { family, given: `${random.pick(style.first)}${EXTENSION_B}` };
  // A family name of two characters mostly takes a given name of one or two all the same.
  if (random.chance(era.single)) return { family, given: random.pick(style.one) };
  if (random.chance(0.3)) return { family, given: random.pick(style.whole) };
  let given = '';
  do given = random.pick(style.first) + random.pick(style.second);
  while (given.charAt(0) === given.charAt(1) || given.startsWith(family));
  return { family, given };
}

/** The dot begins the given name, so that the two columns written together are the name. */
function dottedName(random: Random, female: boolean, province: string): PersonName {
  const yi = province === '51' || province === '53' || (province !== '65' && random.chance(0.2));
  if (yi) return { family: random.pick(DOTTED.families), given: `·${random.pick(DOTTED.own)}` };
  return {
    family: random.pick(female ? DOTTED.women : DOTTED.men),
    given: `·${random.pick(DOTTED.fathers)}`,
  };
}
